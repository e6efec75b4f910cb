'use strict'
// mailparser as a reader of emails: of each line, an email in base64, a line of JSON.
// node read-emails.js NODE_MODULES
const path = require('node:path')
const readline = require('node:readline')
const { domainToASCII } = require('node:url')

const [modules] = process.argv.slice(2)
const { simpleParser } = require(path.join(modules, 'mailparser'))

// it shows domains as a person reads them
const wire = (address) => address.replace(/[^@]*$/, domainToASCII)
const people = (field) =>
  (field ? field.value : []).map((one) =>
    one.group ? { group: one.name, members: one.group.length } : [one.name, wire(one.address)])

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const email = await simpleParser(Buffer.from(line, 'base64'), { skipTextToHtml: true })
    const told = {
      From: people(email.from),
      To: people(email.to),
      Cc: people(email.cc),
      'Reply-To': people(email.replyTo),
      notified: people(email.headers.get('disposition-notification-to')),
      subject: email.subject || '',
      references: [email.references || []].flat(),
      headers: email.headerLines.map((one) => [one.key, one.line]),
      text: email.text,
    }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  }
}
main()
