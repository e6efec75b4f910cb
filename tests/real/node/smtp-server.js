'use strict'
// Node's smtp-server on a port, keeping each email in a file below a folder's mail/, with the
// envelope's recipients above its header. A file is whole or not there, should it be killed.
// node smtp-server.js NODE_MODULES PORT FOLDER [PEM TOKENS SECURITY]
// With PEM, its key and certificate, it wants TLS and then one of the access tokens of a file, a line
// each, from the user ion. SECURITY is starttls, or tls from the first byte.
const fs = require('node:fs')
const path = require('node:path')
const { domainToASCII } = require('node:url')

const [modules, port, root, pem, tokens, security] = process.argv.slice(2)
const { SMTPServer } = require(path.join(modules, 'smtp-server'))

const mailbox = /^e[0-9]+[.]r[0-9]+@(mta|xn--bcher-kva)[.]example$/
// it shows domains as a person reads them
const wire = (address) => address.replace(/[^@]*$/, domainToASCII)
let kept = 0

const open = { disabledCommands: ['AUTH', 'STARTTLS'] }
const byToken = () => ({
  secure: security === 'tls',
  key: fs.readFileSync(pem),
  cert: fs.readFileSync(pem),
  authMethods: ['XOAUTH2'],
  onAuth({ username, accessToken }, session, done) {
    const right = fs.readFileSync(tokens, 'utf8').split('\n').includes(accessToken)
    fs.appendFileSync(path.join(root, 'logins'), `${right && username === 'ion'}\n`)
    if (right && username === 'ion') return done(null, { user: username })
    done(null, { data: { status: '401', schemes: 'bearer', scope: 'https://mail.example/' } })
  },
})

const server = new SMTPServer({
  ...(pem ? byToken() : open),
  onRcptTo(address, session, done) {
    if (mailbox.test(wire(address.address))) return done()
    done(Object.assign(new Error('User unknown'), { responseCode: 550 }))
  },
  onData(stream, session, done) {
    const name = `${process.pid}-${++kept}`
    const part = path.join(root, 'parts', name)
    const file = fs.createWriteStream(part)
    for (const { address } of session.envelope.rcptTo) file.write(`Delivered-To: ${wire(address)}\r\n`)
    file.once('close', () => {
      fs.renameSync(part, path.join(root, 'mail', name))
      done()
    })
    stream.pipe(file)
  },
})
server.on('error', (error) => console.error(error.message)) // a client that hangs up, for instance
server.listen(Number(port), '127.0.0.1')
