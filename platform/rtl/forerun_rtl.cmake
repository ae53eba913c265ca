# SPDX-License-Identifier: Apache-2.0
# Your Verilog as a block of a Forerun chip. In the CMakeLists.txt of your own repository:
#
#   include(/path/to/forerun/platform/rtl/forerun_rtl.cmake)
#   forerun_add_rtl_block(NAME TOP module MAP pins.yaml SOURCES file...
#                         [PARAMETERS NAME=VALUE...] [INCLUDES folder...] [DEFINES NAME[=VALUE]...]
#                         [VERILATOR_ARGS argument...] [WAVES fst|vcd])
#
# makes NAME.so in the build folder, which a chip's YAML names in rtl.tensor, rtl.dma, rtl.hbm, rtl.sram or rtl.devices (docs/rtl/own.md).
# The target NAME has the property FORERUN_MODEL, the file. Needs Forerun built (./forerun build); another build than
# build/release: -DFORERUN_PROGRAM=/path/to/bin/forerun.
get_filename_component(forerun_tree ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
set(FORERUN_PROGRAM ${forerun_tree}/build/release/bin/forerun CACHE FILEPATH "the forerun program")

function(forerun_add_rtl_block name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "TOP;MAP;WAVES" "SOURCES;PARAMETERS;INCLUDES;DEFINES;VERILATOR_ARGS")
  foreach(needed TOP MAP SOURCES)
    if(NOT ARG_${needed})
      message(FATAL_ERROR "forerun_add_rtl_block(${name}): ${needed} is missing")
    endif()
  endforeach()
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "forerun_add_rtl_block(${name}): unknown '${ARG_UNPARSED_ARGUMENTS}', known are TOP, MAP, SOURCES, PARAMETERS, INCLUDES, DEFINES, VERILATOR_ARGS and WAVES")
  endif()
  if(NOT EXISTS ${FORERUN_PROGRAM})
    message(FATAL_ERROR "forerun_add_rtl_block(${name}): ${FORERUN_PROGRAM} is not there: build Forerun (./forerun build) or give -DFORERUN_PROGRAM=...")
  endif()
  set(options "")
  foreach(value ${ARG_PARAMETERS})
    list(APPEND options --parameter ${value})
  endforeach()
  foreach(value ${ARG_INCLUDES})
    list(APPEND options --include ${value})
  endforeach()
  foreach(value ${ARG_DEFINES})
    list(APPEND options --define ${value})
  endforeach()
  foreach(value ${ARG_VERILATOR_ARGS})
    list(APPEND options --verilator=${value})
  endforeach()
  if(ARG_WAVES)
    list(APPEND options --waves ${ARG_WAVES})
  endif()
  set(model ${CMAKE_CURRENT_BINARY_DIR}/${name}.so)
  add_custom_command(OUTPUT ${model}
    COMMAND ${FORERUN_PROGRAM} rtl --top ${ARG_TOP} --pins ${ARG_MAP} -o ${model} --depfile ${model}.d ${options} ${ARG_SOURCES}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    DEPENDS ${ARG_SOURCES} ${ARG_MAP} ${FORERUN_PROGRAM}
    DEPFILE ${model}.d
    COMMENT "Making the RTL model ${name}"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${model})
  set_target_properties(${name} PROPERTIES FORERUN_MODEL ${model})
endfunction()
