// Sends each mail of a JSON list on standard input through ion's transport; prints what became of each.
// {"$date": …} is a Date, and a mail that is {"cancel": …} is a cancel.
'use strict';

const { readFileSync } = require('node:fs');
const nodemailer = require('nodemailer');
const { ionTransport } = require(process.argv[2]);

async function main() {
  const transport = ionTransport(JSON.parse(process.argv[3]));
  const transporter = nodemailer.createTransport(transport);
  const mails = JSON.parse(readFileSync(0, 'utf8'), (_, value) =>
    value?.$date === undefined ? value : new Date(value.$date),
  );
  const results = [];
  for (const mail of mails) {
    try {
      results.push('cancel' in mail ? await transport.cancel(mail.cancel) : await transporter.sendMail(mail));
    } catch (error) {
      results.push({ error: error.message, code: error.code, part: error.part });
    }
  }
  transporter.close();
  process.stdout.write(JSON.stringify(results));
}

main();
