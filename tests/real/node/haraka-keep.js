'use strict'
// A plugin for Haraka: who has a mailbox, and each email to a file below mail/, with the envelope's
// recipients above its header. A file is whole or not there, should the server be killed.
const fs = require('node:fs')
const path = require('node:path')

const root = path.dirname(__dirname)
const mailbox = /^e[0-9]+[.]r[0-9]+$/
const domains = ['mta.example', 'xn--bcher-kva.example']

exports.hook_rcpt = function (next, connection, params) {
  const [address] = params
  if (mailbox.test(address.user) && domains.includes(address.host)) return next(OK)
  next(DENY, 'User unknown')
}

exports.hook_queue = function (next, connection) {
  const { uuid, rcpt_to: recipients, message_stream: message } = connection.transaction
  const part = path.join(root, 'parts', uuid)
  const file = fs.createWriteStream(part)
  for (const { user, host } of recipients) file.write(`Delivered-To: ${user}@${host}\r\n`)
  file.once('close', () => {
    fs.renameSync(part, path.join(root, 'mail', uuid))
    next(OK)
  })
  message.pipe(file)
}
