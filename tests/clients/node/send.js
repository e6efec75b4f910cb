// Sends each mail of a JSON list on standard input through ion's transport; prints what became of each.
'use strict';

const { readFileSync } = require('node:fs');
const nodemailer = require('nodemailer');
const { ionTransport } = require(process.argv[2]);

async function main() {
  const transporter = nodemailer.createTransport(ionTransport());
  const results = [];
  for (const mail of JSON.parse(readFileSync(0, 'utf8'))) {
    try {
      results.push(await transporter.sendMail(mail));
    } catch (error) {
      results.push({ error: error.message, code: error.code, part: error.part });
    }
  }
  transporter.close();
  process.stdout.write(JSON.stringify(results));
}

main();
