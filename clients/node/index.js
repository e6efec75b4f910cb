// @ts-check
'use strict';

// A transport of nodemailer that publishes each mail to ion's topic, as ion's README names its fields.
// What ion can't say is an error, and never left out.

const { randomUUID } = require('node:crypto');
const { SNSClient, PublishCommand } = require('@aws-sdk/client-sns');
const { version } = require('./package.json');

/** Octets that SNS takes in one message. */
const MOST_OCTETS = 262_144;

// What the relay takes in one email.
const MOST_RECIPIENTS = 1_000;
const MOST_ATTACHMENTS = 100;
const LONGEST_FILENAME = 255; // octets of UTF-8

/** C0 but TAB, DEL, C1, and the line and paragraph separators: ion refuses them in a header. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/; // eslint-disable-line no-control-regex

/** What hides an @ or a separator from a reader of addresses: quoted texts and comments. */
const HIDING = /"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)/g;

/** An address without its quoted texts: RFC 5322 section 3.4.1, but for lengths and the domain's rules. */
const ADDRESS = /^[^\s<>()[\],;:@\\"]*@(?:[^\s<>()[\],;:@\\"]+|\[[^\s[\]]+\])$/;

/** In a file's name: separators of paths, and what turns text around (Unicode, UAX 9). */
const MISLEADING = /[\t/\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** RFC 6838 section 4.2, RFC 2045 section 5.1; not what mustn't be base64. */
const MEDIA_TYPE =
  /^(?!multipart\/)[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}(?: *; *[!#$%&'*+.^`{|}~\w-]+=(?:[!#$%&'*+.^`{|}~\w-]+|"[ !#-[\]-~]*"))*$/i;

/** Parameters of a type that ion writes itself. */
const OWN_PARAMETER = /; *(?:name|boundary)\*?[\d*]*=/i;

const CONTENT_ID = /^[\w!#$%&'*+/=?^`{|}~.@-]{1,255}$/;

const IN_DOUBT = ['resend_once', 'resend', 'park'];

/** Options of a mail that are read here: nodemailer's and ion's. */
const READ = Object.freeze([
  ...['from', 'to', 'cc', 'bcc', 'replyTo', 'envelope', 'subject', 'text', 'html', 'attachments', 'headers'],
  ...['list', 'references', 'inReplyTo', 'priority'],
  ...['emailId', 'inDoubt', 'lane', 'tenant', 'sendAt', 'expiresAt', 'tags', 'unsubscribe'],
]);

/**
 * Fields of ion's messages that are called otherwise here; empty: there is no such option.
 *
 * @type {Readonly<Record<string, string>>}
 */
const FIELDS = Object.freeze({
  recipient: 'to',
  sender: 'from',
  email_id: 'emailId',
  reply_to: 'replyTo',
  return_path: 'envelope.from',
  body_text: 'text',
  body_html: 'html',
  in_doubt: 'inDoubt',
  not_before: 'sendAt',
  expires_at: 'expiresAt',
  template: '',
  context: '',
  locale: '',
});

/** So like is a name to the one that was meant: 1 is the same. `expires` is, `lang` isn't `lane`. */
const LIKE = 0.8;

/** Characters of a known name that others may be like: `two` isn't `to`. */
const SHORTEST_NAME = 4;

/** Characters of a name that is compared: the time taken grows with its square. */
const LONGEST_NAME = 100;

const HEADER_NAME = /^[!-9;-~]{1,76}$/;

/** Headers that ion writes itself, or that mail servers write. */
const OWN =
  /^(from|to|cc|bcc|sender|reply-to|subject|date|message-id|received|return-path|(mime|content|resent|dkim|arc)-.*)$/i;

/** RFC 3339, with a zone. */
const TIME =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** So far may sendAt lie ahead. */
const MOST_DAYS_AHEAD = 13;

/** What ionTransport takes. */
const OPTIONS = ['topicArn', 'bulkTopicArn', 'sns'];

const MOST_TAGS = 10;
const TAG_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const TAG_VALUE = /^[ -~]{1,256}$/;

/** What nodemailer knows and ion doesn't, and why. */
const REFUSED = Object.freeze({
  alternatives: 'ion sends one text and one html',
  amp: 'ion sends one text and one html',
  date: 'ion writes Date itself: the time of the publish',
  dkim: 'ion signs, or the mail server behind it',
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
 * @property {string} [bulkTopicArn] ARN of ion's topic for bulk; else the environment variable
 *   ION_BULK_TOPIC_ARN, if the other is taken from there as well. Without one ion moves bulk itself.
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
 * X-Ion-Id), the idempotency key, `inDoubt`, `lane`, `tenant`, `sendAt`, `expiresAt`, `tags` and
 * `unsubscribe`.
 *
 * @param {Options} [options]
 * @throws {TypeError} There is no topic, or the two are in different regions, or an option is misspelt.
 */
function ionTransport(options = {}) {
  for (const name of Object.keys(options)) {
    const meant = OPTIONS.includes(name) ? '' : nearest(name, OPTIONS);
    if (meant) throw new TypeError(`${name} is unknown; did you mean ${meant}?`);
  }
  const { input, bulk, region } = topicsOf(options);
  const sns = options.sns || new SNSClient({ region });
  return {
    name: 'ion',
    version,
    /**
     * @param {any} mail nodemailer's MailMessage.
     * @param {(error: Error | null, info?: Info) => void} callback
     */
    send(mail, callback) {
      sendMail(mail, input, bulk, sns).then(
        (info) => callback(null, info),
        (error) => callback(error),
      );
    },
    /**
     * Ask for an email not to be sent, if it isn't under way yet. It takes its turn behind what is
     * queued; ion's log says whether it came in time.
     *
     * @param {string} emailId
     * @returns {Promise<string>} SNS's id of the message.
     */
    async cancel(emailId) {
      checkEmailId(emailId);
      return publish(sns, { TopicArn: input }, { action: 'cancel', email_id: emailId });
    },
    close() {
      if (!options.sns) sns.destroy();
    },
  };
}

/**
 * @param {Options} options
 * @returns {{input: string, bulk: string, region: string}}
 */
function topicsOf(options) {
  const input = options.topicArn || process.env.ION_TOPIC_ARN || '';
  // of the environment both or none: bulk would go to another ion otherwise
  const bulk = options.bulkTopicArn || (!options.topicArn && process.env.ION_BULK_TOPIC_ARN) || input;
  const region = regionOf(input);
  if (!region) throw new TypeError("topicArn or ION_TOPIC_ARN must be the ARN of ion's input topic");
  if (regionOf(bulk) !== region) {
    throw new TypeError(
      `bulkTopicArn or ION_BULK_TOPIC_ARN must be the ARN of ion's topic for bulk, in ${region} as the other`,
    );
  }
  return { input, bulk, region };
}

/**
 * @param {string} topicArn
 * @returns {string} Empty: it is no topic's ARN.
 */
function regionOf(topicArn) {
  const parts = topicArn.split(':'); // arn:aws:sns:REGION:ACCOUNT:NAME
  return parts.length === 6 && parts[0] === 'arn' && parts[2] === 'sns' ? parts[3] : '';
}

/**
 * @param {any} mail
 * @param {string} input
 * @param {string} bulk
 * @param {SNSClient} sns
 * @returns {Promise<Info>}
 */
async function sendMail(mail, input, bulk, sns) {
  const fields = await fieldsOf(mail);
  const tenant = tenantOf(mail.data.tenant);
  const messageId = await publish(
    sns,
    {
      TopicArn: fields.lane === 'bulk' ? bulk : input,
      ...(tenant && { MessageGroupId: tenant }), // turns on SQS's fair queues
    },
    fields,
  );
  const envelope = mail.message.getEnvelope();
  return { emailId: fields.email_id, messageId, envelope, response: `published as ${messageId}` };
}

/**
 * @param {SNSClient} sns
 * @param {{TopicArn: string, MessageGroupId?: string}} how
 * @param {Record<string, any>} fields
 * @returns {Promise<string>} SNS's id of the message.
 */
async function publish(sns, how, fields) {
  const body = JSON.stringify(fields).replace(/[\ufffe\uffff]/g, escaped); // SQS takes neither
  if (Buffer.byteLength(body) > MOST_OCTETS) {
    throw new InvalidMessage('mail', `has more than ${MOST_OCTETS} octets as JSON`);
  }
  const answer = await sns.send(new PublishCommand({ ...how, Message: body }));
  return answer.MessageId || '';
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
  checkOptions(mail.data);
  for (const part of ['from', 'to', 'cc', 'bcc', 'replyTo']) checkWritten(part, mail.data[part]);
  for (const [part, value] of Object.entries(mail.data.envelope || {})) checkWritten(`envelope.${part}`, value);
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
  checkEmailId(emailId);

  const to = mailboxes('to', data.to);
  const cc = mailboxes('cc', data.cc);
  const bcc = mailboxes('bcc', data.bcc);
  const count = to.length + cc.length + bcc.length;
  if (count === 0) throw new InvalidMessage('to', 'is missing');
  if (count > MOST_RECIPIENTS) throw new InvalidMessage('to', 'and cc and bcc have more than 1,000 addresses');
  const senders = mailboxes('from', data.from);
  if (written.from?.length > 1) throw new InvalidMessage('from', 'may be one address only');
  const replyTo = mailboxes('replyTo', data.replyTo);
  const returnPath = given && reversePath(given, mail, [...to, ...cc, ...bcc]);

  const text = bodyOf('text', data.text);
  const html = bodyOf('html', data.html);
  const attachments = attachmentsOf(data.attachments ?? []);
  const subject = String(data.subject ?? '');
  checkText('subject', subject);
  if (data.inDoubt && !IN_DOUBT.includes(data.inDoubt)) {
    throw new InvalidMessage('inDoubt', `is none of ${IN_DOUBT.join(', ')}`);
  }

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
    ...waitingOf(data),
    ...unsubscribeOf(data, count, headers),
  };
}

/**
 * What is not read here is nodemailer's own, a plugin's or the application's, unless it was meant for ion.
 *
 * @param {Record<string, any>} data
 */
function checkOptions(data) {
  const known = new Set([...READ, ...Object.keys(REFUSED)]);
  const ours = [...READ, ...Object.keys(FIELDS)];
  for (const [name, value] of Object.entries(data)) {
    if (known.has(name) || value === undefined || value === null) continue;
    const near = nearest(name, ours);
    if (!near) continue;
    const meant = FIELDS[near] ?? near;
    if (meant) throw new InvalidMessage(name, `is unknown; did you mean ${meant}?`);
    // with a body it is what a plugin has rendered
    if (!data.text && !data.html) {
      throw new InvalidMessage(name, "is none of nodemailer's options, and there is no text and no html");
    }
  }
}

/**
 * The known name that resembles one most, however its words are joined; empty: there is none.
 *
 * @param {string} name
 * @param {readonly string[]} known
 */
function nearest(name, known) {
  if (name.length > LONGEST_NAME) return '';
  const likeness = known.map((one) =>
    one.length < SHORTEST_NAME ? Number(words(name) === words(one)) : likenessOf(words(name), words(one)),
  );
  const most = Math.max(...likeness);
  return most >= LIKE ? known[likeness.indexOf(most)] : '';
}

/**
 * @param {string} name
 * @returns {string} emailID, Email-Id and email_id alike.
 */
function words(name) {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/-/g, '_').toLowerCase();
}

/**
 * The share of the characters that both have in the same order: of 2 n in all, by their longest
 * common subsequence.
 *
 * @param {string} one
 * @param {string} other
 */
function likenessOf(one, other) {
  let above = new Array(other.length + 1).fill(0);
  for (const character of one) {
    const row = [0];
    for (let i = 0; i < other.length; i++) {
      row.push(character === other[i] ? above[i] + 1 : Math.max(row[i], above[i + 1]));
    }
    above = row;
  }
  return (2 * above[other.length]) / (one.length + other.length);
}

/**
 * The fields that say when and before which others a mail goes, and what it is called.
 *
 * @param {any} data
 * @returns {Record<string, any>}
 */
function waitingOf(data) {
  if (data.lane && data.lane !== 'normal' && data.lane !== 'bulk') {
    throw new InvalidMessage('lane', 'is neither normal nor bulk');
  }
  const sendAt = timeOf('sendAt', data.sendAt);
  const expiresAt = timeOf('expiresAt', data.expiresAt);
  const begins = Date.parse(sendAt);
  if (begins - Date.now() > MOST_DAYS_AHEAD * 86_400_000) {
    throw new InvalidMessage('sendAt', `is more than ${MOST_DAYS_AHEAD} days ahead`);
  }
  if (Date.parse(expiresAt) <= begins) throw new InvalidMessage('expiresAt', 'is not later than sendAt');
  const tags = tagsOf(data.tags);
  return {
    ...(data.lane && { lane: data.lane }),
    ...(sendAt && { not_before: sendAt }),
    ...(expiresAt && { expires_at: expiresAt }),
    ...(tags && { tags }),
  };
}

/**
 * @param {string} part
 * @param {any} value A Date, or a text as RFC 3339 has it.
 * @returns {string} Empty: there is none.
 */
function timeOf(part, value) {
  if (value === undefined || value === null) return '';
  const isDate = value instanceof Date && !Number.isNaN(value.getTime());
  const text = isDate ? value.toISOString() : value;
  if (typeof text !== 'string' || !TIME.test(text)) {
    throw new InvalidMessage(part, 'is neither a Date nor a text like 2027-03-08T09:00:00+01:00');
  }
  if (!isInCalendar(text.toUpperCase())) throw new InvalidMessage(part, 'is on a day that no calendar has');
  return text.toUpperCase();
}

/**
 * False for February 30, which JavaScript takes for March 2, and for years that aren't 1 to 9999 in UTC.
 *
 * @param {string} time As RFC 3339 has it.
 */
function isInCalendar(time) {
  const day = time.slice(0, 10);
  const year = new Date(time).getUTCFullYear();
  return new Date(day).toISOString().startsWith(day) && year >= 1 && year <= 9999;
}

/**
 * @param {any} tags
 * @returns {Record<string, string> | undefined} Without those that are null.
 */
function tagsOf(tags) {
  if (tags === undefined || tags === null) return undefined;
  if (typeof tags !== 'object' || Array.isArray(tags)) {
    throw new InvalidMessage('tags', 'is no object of names and texts');
  }
  const given = Object.entries(tags).filter(([, value]) => value !== undefined && value !== null);
  if (given.length > MOST_TAGS) throw new InvalidMessage('tags', `are more than ${MOST_TAGS}`);
  for (const [name, value] of given) {
    if (!TAG_NAME.test(name)) {
      throw new InvalidMessage('tags', 'has a name that is not of 1-64 letters, digits, _, . and -');
    }
    if (typeof value !== 'string' || !TAG_VALUE.test(value)) {
      throw new InvalidMessage(`tags.${name}`, 'is not of 1-256 printable ASCII characters');
    }
  }
  return Object.fromEntries(given);
}

/**
 * @param {any} data
 * @param {number} count Of recipients.
 * @param {Record<string, string>} headers
 * @returns {{unsubscribe?: true | string}}
 */
function unsubscribeOf({ unsubscribe, tags }, count, headers) {
  if (unsubscribe === undefined || unsubscribe === null || unsubscribe === false) return {};
  const names = Object.keys(tagsOf(tags) ?? {});
  const named = typeof unsubscribe === 'string' && names.includes(unsubscribe);
  if (!named && !(unsubscribe === true && names.length <= 1)) {
    throw new InvalidMessage('unsubscribe', 'is neither true nor one of the tags; of several tags it must be one');
  }
  if (count !== 1) throw new InvalidMessage('unsubscribe', 'is for a mail to one address in all');
  const own = Object.keys(headers).find((name) => /^list-unsubscribe(-post)?$/i.test(name));
  if (own) throw new InvalidMessage('unsubscribe', `writes ${own}, which is there already`);
  return { unsubscribe };
}

/**
 * @param {any} tenant
 * @returns {string} Empty: there is none.
 */
function tenantOf(tenant) {
  if (tenant === undefined || tenant === null) return '';
  if (typeof tenant !== 'string' || !/^[!-~]{1,128}$/.test(tenant)) {
    throw new InvalidMessage('tenant', 'is not of 1-128 printable ASCII characters without spaces');
  }
  return tenant;
}

/** @param {any} emailId */
function checkEmailId(emailId) {
  if (typeof emailId !== 'string' || !/^[!-~]{1,256}$/.test(emailId)) {
    throw new InvalidMessage('emailId', 'is not of 1-256 printable ASCII characters without spaces');
  }
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
  for (const name of names) checkText(name, String(normal[name]));
  const priority = String(data.priority ?? '').toLowerCase();
  return {
    ...Object.fromEntries(names.map((name) => [name, normal[name]])),
    ...(priority === 'high' || priority === 'low' ? PRIORITIES[priority] : {}),
  };
}

/**
 * A field of addresses as the application wrote it. nodemailer's parser drops control characters, and
 * takes the second of two addresses without a comma between for a name.
 *
 * @param {string} part
 * @param {any} written Text, {name, address}, or a list of them, perhaps of lists.
 */
function checkWritten(part, written) {
  if (Array.isArray(written)) {
    written.forEach((one, i) => checkWritten(`${part}[${i}]`, one));
  } else if (written && typeof written === 'object') {
    checkText(part, String(written.name ?? ''));
    checkWritten(part, written.address);
  } else if (typeof written === 'string') {
    checkText(part, written);
    const apart = written.replace(HIDING, '').split(/[,;]/);
    if (apart.some((one) => one.split('@').length > 2)) {
      throw new InvalidMessage(part, 'has two addresses without a comma between, or a name with @ and no quotes');
    }
  }
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
    if (!ADDRESS.test((one.address || '').replace(HIDING, ''))) {
      throw new InvalidMessage(`${part}[${i}]`, 'is no address');
    }
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
 * @param {any[]} given As nodemailer has read them.
 */
function attachmentsOf(given) {
  if (given.length > MOST_ATTACHMENTS) throw new InvalidMessage('attachments', 'are more than 100');
  const attachments = given.map(attached);
  const ids = attachments.map((one) => one.content_id);
  const again = ids.findIndex((id, i) => id && ids.indexOf(id) !== i);
  if (again >= 0) throw new InvalidMessage(`attachments[${again}].cid`, 'is there twice');
  return attachments;
}

/**
 * @param {any} one
 * @param {number} i
 * @returns {{filename: string, content: string, content_type?: string, content_id?: string}}
 */
function attached(one, i) {
  const part = `attachments[${i}]`;
  if (one.raw) throw new InvalidMessage(part, 'builds its own MIME');
  if (one.headers && Object.keys(one.headers).length) {
    throw new InvalidMessage(`${part}.headers`, 'are not among what ion sends');
  }
  if (one.contentDisposition && (one.contentDisposition === 'inline') !== Boolean(one.cid)) {
    throw new InvalidMessage(`${part}.contentDisposition`, 'is inline if there is a cid, and attachment if not');
  }
  if (typeof one.content !== 'string') throw new InvalidMessage(part, 'has no content');
  const filename = String(one.filename);
  checkFilename(`${part}.filename`, filename.trim());
  const cid = one.cid ? String(one.cid) : '';
  if (cid && !CONTENT_ID.test(cid)) {
    throw new InvalidMessage(`${part}.cid`, 'is not of 1-255 ASCII characters without spaces and brackets');
  }
  const given = String(one.contentType ?? '');
  // a message mustn't be base64 (RFC 2046 section 5.2.1): without a type it goes as octets
  const type = /^message\//i.test(given) ? '' : given;
  if (type && !(type.length <= 255 && MEDIA_TYPE.test(type) && !OWN_PARAMETER.test(type.replace(HIDING, '')))) {
    throw new InvalidMessage(`${part}.contentType`, 'is no type/subtype that ion sends; it writes name itself');
  }
  return {
    filename,
    content: Buffer.from(one.content, one.encoding ?? 'utf8').toString('base64'),
    ...(type && { content_type: type }),
    ...(cid && { content_id: cid }),
  };
}

/**
 * @param {string} part
 * @param {string} name
 */
function checkFilename(part, name) {
  checkText(part, name);
  if (MISLEADING.test(name)) throw new InvalidMessage(part, 'is a path, or has characters that turn text around');
  if (/^[. ]*$/.test(name)) throw new InvalidMessage(part, 'is no name of a file');
  if (Buffer.byteLength(name) > LONGEST_FILENAME) throw new InvalidMessage(part, 'has more than 255 octets');
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
