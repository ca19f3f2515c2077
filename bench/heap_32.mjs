// What firmware weighs on a 32-bit MicroPython: heap_32.mjs MICROPYTHON.MJS FOLDER MODULE...
//
// Imports the modules of FOLDER (as staged for a board) and prints the bytes of heap that this took. The modules of
// the chip are bare names here, and are not counted: on a chip they are C.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [library, folder, ...modules] = process.argv.slice(2);
const { loadMicroPython } = await import(library);
const python = await loadMicroPython({ heapsize: 1 << 20 });

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const inside = "/board" + path.slice(folder.length);
  if (entry.isDirectory()) python.FS.mkdirTree(inside);
  else if (inside.endsWith(".mpy")) {
    python.FS.mkdirTree(inside.slice(0, inside.lastIndexOf("/")));
    python.FS.writeFile(inside, readFileSync(path));
  }
}

// Collects between two runs as well: inside one the interpreter cannot see all of its own stack.
const heap = () => {
  python.runPython("import gc; gc.collect()");
  python.runPython("used = gc.mem_alloc()");
  return python.globals.get("used");
};

python.runPython(`
import asyncio, errno, gc, hashlib, json, struct, sys, time
from asyncio import core
class Chip:
    def __getattr__(self, name):
        return self
for name in ("os", "cryptolib", "machine", "network", "socket", "tls", "ssl", "esp32"):
    sys.modules[name] = Chip()
sys.path[:] = ["/board"]
`);
const before = heap();
for (const name of modules) python.runPython(`import ${name}`);
console.log(heap() - before);
