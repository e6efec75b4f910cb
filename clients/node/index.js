// @ts-check
'use strict';

// A transport of nodemailer that publishes each mail to ion's topic, as ion's README names its fields.
// What ion can't say is an error, and never left out.

const { randomUUID } = require('node:crypto');
const { SNSClient, PublishCommand } = require('@aws-sdk/client-sns');
const { version } = require('./package.json');

/** Octets that SNS takes in one message. */
const MOST_OCTETS = 262_144;

/** C0 but TAB, DEL, C1, and the line and paragraph separators: ion refuses them in a header. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/; // eslint-disable-line no-control-regex

const HEADER_NAME = /^[!-9;-~]{1,76}$/;

/** Headers that ion writes itself, or that mail servers write. */
const OWN =
  /^(from|to|cc|bcc|sender|reply-to|subject|date|message-id|received|return-path|(mime|content|resent|dkim|arc)-.*)$/i;

/** What nodemailer knows and ion doesn't, and why. */
const REFUSED = Object.freeze({
  alternatives: 'ion sends one text and one html',
  amp: 'ion sends one text and one html',
  date: 'ion writes Date itself: the time of the publish',
  dkim: 'the mail server behind ion signs',
  dsn: 'ion asks for no delivery status notifications',
  icalEvent: 'ion sends one text and one html',
  messageId: 'ion writes Message-ID itself, from the emailId',
  otp: 'ion writes no OTP-Token',
  raw: 'ion builds the MIME itself',
  sender: 'ion writes no Sender; use from, and envelope.from for bounces',
  watchHtml: 'ion sends one text and one html',
});

const PRIORITIES = Object.freeze({
  high: { 'X-Priority': '1 (Highest)', 'X-MSMail-Priority': 'High', Importance: 'High' },
  low: { 'X-Priority': '5 (Lowest)', 'X-MSMail-Priority': 'Low', Importance: 'Low' },
});

/**
 * @typedef {object} Options
 * @property {string} [topicArn] ARN of ion's input topic; else the environment variable ION_TOPIC_ARN.
 * @property {SNSClient} [sns] A client; else one of the topic's region.
 */

/**
 * @typedef {object} Info What sendMail resolves to.
 * @property {string} emailId The email's name in ion's log, ledger and dead letters.
 * @property {string} messageId SNS's id of the publish.
 * @property {{from: string | false, to: string[]}} envelope
 * @property {string} response
 */

/** A mail that ion can't send as it is; nothing was published. */
class InvalidMessage extends Error {
  /**
   * @param {string} part Of the mail: `to[1]`, `headers.X-Tag`.
   * @param {string} problem In words, without the value.
   */
  constructor(part, problem) {
    super(`${part}: ${problem}`);
    this.name = 'InvalidMessage';
    this.code = 'EMESSAGE';
    this.part = part;
  }
}

/**
 * For nodemailer.createTransport. Besides nodemailer's own, a mail may have `emailId` (or the header
 * X-Ion-Id), the idempotency key, and `inDoubt`.
 *
 * @param {Options} [options]
 * @throws {TypeError} There is no topic.
 */
function ionTransport(options = {}) {
  const topicArn = options.topicArn || process.env.ION_TOPIC_ARN || '';
  const parts = topicArn.split(':');
  if (parts.length !== 6 || parts[0] !== 'arn' || parts[2] !== 'sns') {
    throw new TypeError("topicArn or ION_TOPIC_ARN must be the ARN of ion's input topic");
  }
  const sns = options.sns || new SNSClient({ region: parts[3] });
  return {
    name: 'ion',
    version,
    /**
     * @param {any} mail nodemailer's MailMessage.
     * @param {(error: Error | null, info?: Info) => void} callback
     */
    send(mail, callback) {
      publish(mail, topicArn, sns).then(
        (info) => callback(null, info),
        (error) => callback(error),
      );
    },
    close() {
      if (!options.sns) sns.destroy();
    },
  };
}

/**
 * @param {any} mail
 * @param {string} topicArn
 * @param {SNSClient} sns
 * @returns {Promise<Info>}
 */
async function publish(mail, topicArn, sns) {
  const fields = await fieldsOf(mail);
  const body = JSON.stringify(fields).replace(/[\ufffe\uffff]/g, escaped); // SQS takes neither
  if (Buffer.byteLength(body) > MOST_OCTETS) {
    throw new InvalidMessage('mail', `has more than ${MOST_OCTETS} octets as JSON`);
  }
  const answer = await sns.send(new PublishCommand({ TopicArn: topicArn, Message: body }));
  const messageId = answer.MessageId || '';
  const envelope = mail.message.getEnvelope();
  return { emailId: fields.email_id, messageId, envelope, response: `published as ${messageId}` };
}

/** @param {string} character */
function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16)}`;
}

/**
 * The message of ion's contract.
 *
 * @param {any} mail
 * @returns {Promise<Record<string, any> & {email_id: string}>}
 */
async function fieldsOf(mail) {
  for (const [part, problem] of Object.entries(REFUSED)) {
    const value = mail.data[part];
    if (value && !(Array.isArray(value) && value.length === 0)) throw new InvalidMessage(part, problem);
  }
  const given = mail.data.envelope; // normalize puts one there in any case
  const own = ownHeaders(mail.data.headers);
  const written = mail.message.getAddresses(); // normalize leaves all but the first author out
  const data = await new Promise((resolve, reject) => {
    mail.normalize((/** @type {Error | null} */ error, /** @type {any} */ normal) =>
      error ? reject(error) : resolve(normal),
    );
  });

  const headers = { ...own, ...writtenByNodemailer(data) };
  const idHeader = Object.keys(headers).find((name) => name.toLowerCase() === 'x-ion-id');
  const emailId = data.emailId ?? (idHeader && headers[idHeader]) ?? randomUUID();
  if (idHeader) delete headers[idHeader];
  if (typeof emailId !== 'string' || !/^[!-~]{1,256}$/.test(emailId)) {
    throw new InvalidMessage('emailId', 'is not of 1-256 printable ASCII characters without spaces');
  }

  const to = mailboxes('to', data.to);
  const cc = mailboxes('cc', data.cc);
  const bcc = mailboxes('bcc', data.bcc);
  if (to.length + cc.length + bcc.length === 0) throw new InvalidMessage('to', 'is missing');
  const senders = mailboxes('from', data.from);
  if (written.from?.length > 1) throw new InvalidMessage('from', 'may be one address only');
  const replyTo = mailboxes('replyTo', data.replyTo);
  const returnPath = given && reversePath(given, mail, [...to, ...cc, ...bcc]);

  const text = bodyOf('text', data.text);
  const html = bodyOf('html', data.html);
  const attachments = (data.attachments ?? []).map(attached);
  const subject = String(data.subject ?? '');
  checkText('subject', subject);

  return {
    action: 'send',
    email_id: emailId,
    ...(senders.length && { sender: senders[0] }),
    ...(to.length && { recipient: to }),
    ...(cc.length && { cc }),
    ...(bcc.length && { bcc }),
    ...(replyTo.length && { reply_to: replyTo }),
    ...(returnPath && { return_path: returnPath }),
    ...(subject && { subject }),
    ...((text || !html) && { body_text: text ?? '' }),
    ...(html && { body_html: html }),
    ...(attachments.length && { attachments }),
    ...(Object.keys(headers).length && { headers }),
    ...(data.inDoubt && { in_doubt: data.inDoubt }),
  };
}

/**
 * The mail's own headers: an object of texts, or of what nodemailer takes for one, or a list.
 *
 * @param {any} headers
 * @returns {Record<string, string>}
 */
function ownHeaders(headers) {
  const entries = Array.isArray(headers)
    ? headers.map((one) => [one.key, one.value])
    : Object.entries(headers || {});
  /** @type {Record<string, string>} */
  const own = {};
  const seen = new Set();
  for (const [name, value] of entries) {
    const values = [value].flat().map((one) => one?.value ?? one);
    if (!HEADER_NAME.test(name)) throw new InvalidMessage(`headers.${name}`, 'is no name of a header');
    if (OWN.test(name)) throw new InvalidMessage(`headers.${name}`, 'is not among those that can be set');
    if (values.length > 1 || seen.has(name.toLowerCase())) {
      throw new InvalidMessage(`headers.${name}`, 'is there twice');
    }
    seen.add(name.toLowerCase());
    if (values[0] === undefined || values[0] === null || values[0] === '') continue;
    own[name] = String(values[0]);
    checkText(`headers.${name}`, own[name]);
  }
  return own;
}

/**
 * The headers that nodemailer makes of other parts: list, references, inReplyTo, priority.
 *
 * @param {any} data
 * @returns {Record<string, string>}
 */
function writtenByNodemailer(data) {
  const normal = data.normalizedHeaders;
  const names = data.list ? Object.keys(normal).filter((name) => name.startsWith('list-')) : [];
  if (data.references) names.push('references');
  if (data.inReplyTo) names.push('in-reply-to');
  const priority = String(data.priority ?? '').toLowerCase();
  return {
    ...Object.fromEntries(names.map((name) => [name, normal[name]])),
    ...(priority === 'high' || priority === 'low' ? PRIORITIES[priority] : {}),
  };
}

/**
 * What nodemailer has made of a field of addresses, groups taken apart.
 *
 * @param {string} part
 * @param {any} parsed
 * @returns {{email: string, name?: string}[]}
 */
function mailboxes(part, parsed) {
  const flat = [parsed ?? []].flat().flatMap((one) => (one.group ? one.group : [one]));
  return flat.map((one, i) => {
    // nodemailer would leave it out without a word
    if (!one.address) throw new InvalidMessage(`${part}[${i}]`, 'is no address');
    checkText(`${part}[${i}]`, `${one.name ?? ''}${one.address}`);
    return one.name ? { email: one.address, name: one.name } : { email: one.address };
  });
}

/**
 * Where bounces go, by the mail's own envelope. Its recipients must be those of the header.
 *
 * @param {any} given
 * @param {any} mail
 * @param {{email: string}[]} named
 * @returns {string}
 */
function reversePath(given, mail, named) {
  const { from, to } = mail.message.getEnvelope();
  const same = new Set(named.map((one) => one.email));
  if ((given.to || given.cc || given.bcc) && !(to.length === same.size && to.every((/** @type {string} */ one) => same.has(one)))) {
    throw new InvalidMessage('envelope.to', "isn't to, cc and bcc together, which is where ion sends to");
  }
  return from || '';
}

/**
 * @param {any} one As nodemailer has read it.
 * @param {number} i
 * @returns {{filename: string, content: string, content_type?: string, content_id?: string}}
 */
function attached(one, i) {
  const part = `attachments[${i}]`;
  if (one.raw) throw new InvalidMessage(part, 'builds its own MIME');
  if (typeof one.content !== 'string') throw new InvalidMessage(part, 'has no content');
  const octets = Buffer.from(one.content, one.encoding ?? 'utf8');
  const type = String(one.contentType ?? '');
  return {
    filename: String(one.filename),
    content: octets.toString('base64'),
    // a message mustn't be base64 (RFC 2046 section 5.2.1): without a type it goes as octets
    ...(type && !/^message\//i.test(type) && { content_type: type }),
    ...(one.cid && { content_id: String(one.cid) }),
  };
}

/**
 * @param {string} part
 * @param {any} value Text, or what nodemailer has read into `content`.
 * @returns {string | undefined}
 */
function bodyOf(part, value) {
  const text = value && typeof value === 'object' ? value.content : value;
  if (text === undefined || text === null || text === false) return undefined;
  checkUnicode(part, String(text));
  return String(text);
}

/**
 * @param {string} part
 * @param {string} text
 */
function checkText(part, text) {
  if (CONTROL.test(text)) throw new InvalidMessage(part, 'holds a line break or another control character');
  checkUnicode(part, text);
}

/**
 * @param {string} part
 * @param {string} text
 */
function checkUnicode(part, text) {
  if (!text.isWellFormed()) throw new InvalidMessage(part, 'holds half of a surrogate pair');
}

module.exports = { ionTransport, InvalidMessage };
