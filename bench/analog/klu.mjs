// Runs netlists in ngspice compiled to WebAssembly (npm: eecircuit-engine), one
// after another in one process, and prints a line of JSON for each. Start-up is
// not counted.
//
//   node klu.mjs FOLDER-OF-NODE-MODULES NETLIST...
//
// Saved signals are left beside each netlist, NETLIST.f64: per point the time
// and the signals, in the order of the line's names.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, ...netlists] = process.argv.slice(2);
const engine = path.join(modules, "eecircuit-engine", "dist", "eecircuit-engine.mjs");
const { Simulation } = await import(pathToFileURL(engine).href);
console.log = () => {};
const sim = new Simulation();
await sim.start();
for (const file of netlists) {
  sim.setNetList(fs.readFileSync(file, "utf8"));
  const start = process.cpuUsage();
  const result = await sim.runSim();
  const used = process.cpuUsage(start);
  const columns = result.data.map((d) => d.values);
  const points = columns[0].length;
  const out = new Float64Array(points * columns.length);
  for (let k = 0; k < points; k++) for (let c = 0; c < columns.length; c++) out[k * columns.length + c] = columns[c][k];
  fs.writeFileSync(file + ".f64", Buffer.from(out.buffer));
  const version = /ngspice-[\d.]+/.exec(result.header)?.[0] ?? "";
  process.stdout.write(JSON.stringify({
    file, version, seconds: (used.user + used.system) / 1e6, points,
    names: result.data.map((d) => d.name), errors: sim.getError(),
  }) + "\n");
}
process.exit(0);
