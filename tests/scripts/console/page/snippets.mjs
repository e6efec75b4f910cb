// Prints the snippets of each message on standard input: a JSON list of [text, about, bulk].
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { snippets } = await import(pathToFileURL(process.argv[2]));
const asked = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(asked.map((one) => snippets(...one))));
