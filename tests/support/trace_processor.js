// Perfetto's trace_processor as its user interface runs it: node trace_processor.js FOLDER <requests >answers
// FOLDER holds engine_bundle.js, a web worker, and its WebAssembly. Both streams are TraceProcessorRpcStream messages.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = process.argv[2];
const read = (name) => fs.readFileSync(path.join(folder, path.basename(name)));

// A page's way to its files.
class XMLHttpRequest {
  open(method, name) {
    this.name = name;
  }
  send() {
    this.response = read(this.name);
  }
}

// What a worker finds around itself: no process, by which it would know Node, and no output but for people.
Object.assign(globalThis, {
  self: globalThis,
  XMLHttpRequest,
  WorkerGlobalScope: class {},
  location: { href: "https://localhost/engine_bundle.js" },
  console: new console.Console(process.stderr),
  process: undefined,
});
vm.runInThisContext(read("engine_bundle.js").toString(), "engine_bundle.js");

const port = {
  postMessage(answer) {
    for (let at = 0; at < answer.length; ) at += fs.writeSync(1, answer, at);
  },
};
onmessage({ data: port });
// By then what waits for the module has been told that it is there.
setImmediate(() => {
  const requests = fs.createReadStream(null, { fd: 0 });
  requests.on("data", (some) => port.onmessage({ data: new Uint8Array(some) }));
});
