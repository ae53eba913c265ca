// SPDX-License-Identifier: Apache-2.0
// What llama.cpp computes for the files of write_gguf, into this folder's llama_cpp.json, and the ids that it gives to the
// texts of tests/models/tokenizer/llama_cpp.json, into that. In a folder of its own, with the top of the tree as TREE:
//   npm install --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
//   write_gguf FOLDER && node record_llama_cpp.mjs FOLDER TREE/tests/models
import fs from "fs";
import {execFileSync} from "child_process";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const IDS = [3, 41, 7, 7, 19, 0, 60, 28, 55, 2, 33, 14];
const [folder, tests, only] = process.argv.slice(2);

const prefix = "vocabulary-";
const tokenizer = JSON.parse(fs.readFileSync(`${tests}/tokenizer/llama_cpp.json`));

async function load(file, vocabOnly) {
  const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.disabled});
  return llama.loadModel({modelPath: file, vocabOnly});
}

async function ids(file) {
  const model = await load(file, true);
  return tokenizer.texts.map((text) => Array.from(model.tokenize(text)));
}

async function probabilities(file) {
  const model = await load(file, false);
  const cache = {experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32", flashAttention: false};
  const context = await model.createContext({contextSize: 14, ...cache});
  const steps = await context.getSequence().controlledEvaluate(IDS.map((id) => [id, {generateNext: {probabilities: true}}]));
  const row = [];
  for (const [id, p] of steps.at(-1).next.probabilities) row[id] = Number(p.toPrecision(8));
  return row;
}

if (only) {
  console.log(JSON.stringify(await (only.includes(prefix) ? ids : probabilities)(only)));
  process.exit(0);
}
const models = {}, vocabularies = {};
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".gguf")).sort()) {
  try {  // a process for each, since some files end llama.cpp
    const out = execFileSync("node", [process.argv[1], folder, tests, `${folder}/${file}`], {stdio: ["ignore", "pipe", "ignore"]});
    const result = JSON.parse(out.toString().trim().split("\n").at(-1)), name = file.slice(0, -5);
    if (name.startsWith(prefix)) vocabularies[name.slice(prefix.length)] = result;
    else models[name] = result;
  } catch {
    console.log(`llama.cpp cannot load ${file}`);
  }
}
const lines = (object) => Object.entries(object).map(([name, row]) => `${JSON.stringify(name)}: ${JSON.stringify(row)}`).join(",\n");
fs.writeFileSync(`${tests}/families/llama_cpp.json`, `{"ids": ${JSON.stringify(IDS)},\n"probabilities": {\n${lines(models)}}}\n`);
fs.writeFileSync(`${tests}/tokenizer/llama_cpp.json`, `{"texts": ${JSON.stringify(tokenizer.texts)},\n"ids": {\n${lines(vocabularies)}}}\n`);
