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
const file = (one) => ({
  name: one.filename,
  type: one.contentType,
  content: one.content.toString('base64'),
  id: one.cid || '',
  disposition: one.contentDisposition,
})

async function main() {
  const options = { skipTextToHtml: true, keepCidLinks: true }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const email = await simpleParser(Buffer.from(line, 'base64'), options)
    const told = {
      From: people(email.from),
      To: people(email.to),
      Cc: people(email.cc),
      'Reply-To': people(email.replyTo),
      'Return-Path': people(email.headers.get('return-path')),
      notified: people(email.headers.get('disposition-notification-to')),
      subject: email.subject || '',
      date: email.date,
      messageId: email.messageId,
      references: [email.references || []].flat(),
      headers: email.headerLines.map((one) => [one.key, one.line]),
      text: email.text,
      html: email.html || '',
      files: email.attachments.map(file),
    }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  }
}
main()
