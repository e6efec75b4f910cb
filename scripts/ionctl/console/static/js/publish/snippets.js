// The message as a line for the AWS CLI, as Python and as Node.js.

/**
 * @param {string} text the message, as JSON.
 * @param {{topic_arn: string, bulk_topic_arn: string, region: string,
 *   environment?: Record<string, string>}} about `environment`: what an emulated AWS needs.
 * @param {boolean} bulk by the topic for bulk.
 */
export function snippets(text, about, bulk) {
  const message = parsed(text);
  const environment = Object.entries(about.environment ?? {}).map(([name, value]) => `${name}=${shell(value)}`).join(" ");
  const needs = (mark) => (environment ? `${mark} the local stack's: export ${environment}\n` : "");
  return {
    "AWS CLI": `${environment && `${environment} \\\n`}${awsCli(text, about, topicOf(about, bulk))}`,
    Python: needs("#") + python(message, text, about, bulk),
    "Node.js": needs("//") + node(message, text, about, bulk),
  };
}

const topicOf = (about, bulk) => (bulk ? about.bulk_topic_arn : about.topic_arn);

function parsed(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message === "object" ? message : {};
  } catch {
    return {};
  }
}

const awsCli = (text, { region }, topic) =>
  `aws sns publish --region ${region} \\\n  --topic-arn ${topic} \\\n  --message ${shell(oneLine(text))}`;

const shell = (text) => (/^[\w:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function oneLine(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

// -- Python: clients/python --------------------------------------------------------------

const PYTHON_NAMES = { recipient: "to", body_text: "text", body_html: "html", not_before: "send_at" };
const PYTHON_WHERE = ["reason", "recipient_domain", "older_than", "younger_than", "tag", "sender", "email_id"];

function python(message, text, about, bulk) {
  const { action, where, ...rest } = message;
  const known = Object.keys(where ?? {}).every((name) => PYTHON_WHERE.includes(name));
  if (!["send", "redrive", "cancel"].includes(action) || !known) return boto3(text, about, topicOf(about, bulk));
  const given = Object.entries({ ...where, ...rest }).filter(([, value]) => value !== null);
  const lines = given.map(([name, value]) => `    ${(action === "send" && PYTHON_NAMES[name]) || name}=${literal(value, 1)},\n`);
  if (bulk && action === "send" && !("lane" in rest)) lines.push('    lane="bulk",\n');
  const topics = [about.topic_arn, ...(bulk ? [about.bulk_topic_arn] : [])].map(quoted).join(", ");
  return `from ion_publisher import Publisher

ion = Publisher(${topics})
print(ion.${action}(${lines.length ? `\n${lines.join("")}` : ""}))
`;
}

const boto3 = (text, { region }, topic) => `import json

import boto3

message = ${literal(parsed(text))}
boto3.client("sns", region_name=${quoted(region)}).publish(TopicArn=${quoted(topic)}, Message=json.dumps(message))
`;

const quoted = (text) => JSON.stringify(text);

/** Give a value of JSON as Python writes it. */
function literal(value, depth = 0) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  const all = Array.isArray(value)
    ? value.map((one) => literal(one, depth + 1))
    : Object.entries(value).map(([name, one]) => `${quoted(name)}: ${literal(one, depth + 1)}`);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  const short = `${left}${all.join(", ")}${right}`;
  return short.length < 70 && !short.includes("\n") ? short : `${left}\n${all.map((one) => `${pad}${one},\n`).join("")}${end}${right}`;
}

// -- Node.js: clients/node ---------------------------------------------------------------

const NODE_NAMES = {
  recipient: "to", cc: "cc", bcc: "bcc", sender: "from", reply_to: "replyTo", subject: "subject", body_text: "text",
  body_html: "html", headers: "headers", email_id: "emailId", in_doubt: "inDoubt", not_before: "sendAt",
  expires_at: "expiresAt", lane: "lane", tags: "tags", unsubscribe: "unsubscribe", attachments: "attachments",
};

function node(message, text, about, bulk) {
  const { action, ...rest } = message;
  const given = Object.entries(rest).filter(([, value]) => value !== null);
  const inS3 = (rest.attachments ?? []).some?.((one) => one?.s3);
  if (action !== "send" || inS3 || given.some(([name]) => !NODE_NAMES[name])) return sdk(text, about, topicOf(about, bulk));
  const mail = Object.fromEntries(given.map(([name, value]) => [NODE_NAMES[name], nodeValue(name, value)]));
  if (bulk) mail.lane ??= "bulk";
  return `const nodemailer = require('nodemailer');
const { ionTransport } = require('ion-nodemailer-transport');

const transporter = nodemailer.createTransport(ionTransport({ topicArn: ${quoted(about.topic_arn)}${bulk ? `, bulkTopicArn: ${quoted(about.bulk_topic_arn)}` : ""} }));
transporter.sendMail(${script(mail)}).then((info) => console.log(info.emailId));
`;
}

const sdk = (text, { region }, topic) => `const { PublishCommand, SNSClient } = require('@aws-sdk/client-sns');

const message = ${script(parsed(text))};
new SNSClient({ region: ${quoted(region)} }).send(new PublishCommand({ TopicArn: ${quoted(topic)}, Message: JSON.stringify(message) }));
`;

function nodeValue(name, value) {
  if (name === "attachments") {
    return value.map(({ filename, content, content_type, content_id }) => ({
      filename, content, encoding: "base64", contentType: content_type, cid: content_id,
    }));
  }
  const all = [value].flat().map((one) => (one?.email ? { name: one.name ?? "", address: one.email } : one));
  return typeof value === "object" && (Array.isArray(value) || value.email) ? (Array.isArray(value) ? all : all[0]) : value;
}

const script = (value) => JSON.stringify(value, null, 2).replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:");
