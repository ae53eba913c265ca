// SPDX-License-Identifier: Apache-2.0
// What llama.cpp computes for the files of write_gguf, into llama_cpp.json. In a folder of its own:
//   npm install --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
//   write_gguf FOLDER && node record_llama_cpp.mjs FOLDER llama_cpp.json
import fs from "fs";
import {execFileSync} from "child_process";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const IDS = [3, 41, 7, 7, 19, 0, 60, 28, 55, 2, 33, 14];
const [folder, result, only] = process.argv.slice(2);

async function probabilities(file) {
  const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.disabled});
  const model = await llama.loadModel({modelPath: file});
  const cache = {experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32", flashAttention: false};
  const context = await model.createContext({contextSize: 14, ...cache});
  const steps = await context.getSequence().controlledEvaluate(IDS.map((id) => [id, {generateNext: {probabilities: true}}]));
  const row = [];
  for (const [id, p] of steps.at(-1).next.probabilities) row[id] = Number(p.toPrecision(8));
  return row;
}

if (only) {
  console.log(JSON.stringify(await probabilities(only)));
  process.exit(0);
}
const models = {};
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".gguf")).sort()) {
  try {  // a process for each, since some files end llama.cpp
    const out = execFileSync("node", [process.argv[1], folder, result, `${folder}/${file}`], {stdio: ["ignore", "pipe", "ignore"]});
    models[file.slice(0, -5)] = JSON.parse(out.toString().trim().split("\n").at(-1));
  } catch {
    console.log(`llama.cpp cannot load ${file}`);
  }
}
const lines = Object.entries(models).map(([name, row]) => `${JSON.stringify(name)}: ${JSON.stringify(row)}`);
fs.writeFileSync(result, `{"ids": ${JSON.stringify(IDS)},\n"probabilities": {\n${lines.join(",\n")}}}\n`);
