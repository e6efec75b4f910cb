// Python's compileall, by the Python of Pyodide: as WebAssembly it is the same on every machine.
// Run as "python -m compileall" is, with this folder's files at hand, which are in /sources.
import { loadPyodide } from "pyodide";

const python = await loadPyodide({ env: { HOME: "/", PYTHONHASHSEED: "0" } });
python.mountNodeFS("/sources", process.cwd());
python.globals.set("arguments", python.toPy(process.argv.slice(2)));
process.exitCode = python.runPython(`
import compileall, os, sys
os.chdir("/sources")
sys.argv = ["compileall", *arguments]
int(not compileall.main())
`);
