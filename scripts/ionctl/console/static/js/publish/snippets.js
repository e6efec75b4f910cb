// The message as a line for the AWS CLI, as Python and as Node.js.

/**
 * @param {string} text the message, as JSON.
 * @param {{topic_arn: string, bulk_topic_arn: string, region: string, commands?: Record<string, string>}} about
 */
export function snippets(text, about, bulk) {
  const message = parsed(text);
  const topic = bulk ? about.bulk_topic_arn : about.topic_arn;
  return { "AWS CLI": awsCli(text, about, topic), Python: python(message, text, topic, bulk), "Node.js": node(message, text, topic, bulk) };
}

function parsed(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message === "object" ? message : {};
  } catch {
    return {};
  }
}

function awsCli(text, { commands, region }, topic) {
  const aws = commands?.aws ?? `aws --region ${region}`;
  return `${aws} sns publish \\\n  --topic-arn ${topic} \\\n  --message ${shell(oneLine(text))}`;
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function oneLine(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

// -- Python: clients/python --------------------------------------------------------------

const PYTHON_NAMES = { recipient: "to", body_text: "text", body_html: "html", not_before: "send_at" };
const PYTHON_METHODS = ["send", "redrive", "cancel"];

function python(message, text, topic, bulk) {
  const { action, ...rest } = message;
  if (!PYTHON_METHODS.includes(action) || rest.where) return boto3(text, topic);
  const given = Object.entries(rest).filter(([, value]) => value !== null);
  const lines = given.map(([name, value]) => `    ${PYTHON_NAMES[name] ?? name}=${literal(value, 1)},`);
  const made = bulk ? `Publisher(bulk_topic_arn=${quoted(topic)})` : `Publisher(${quoted(topic)})`;
  if (bulk && !("lane" in rest) && action === "send") lines.push('    lane="bulk",');
  return `from ion_publisher import Publisher

ion = ${made}
receipt = ion.${action}(
${lines.join("\n")}
)
print(receipt.email_id)
`;
}

const boto3 = (text, topic) => `import json

import boto3

message = ${literal(parsed(text))}
boto3.client("sns").publish(TopicArn=${quoted(topic)}, Message=json.dumps(message))
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
  expires_at: "expiresAt", lane: "lane", tags: "tags", attachments: "attachments",
};

function node(message, text, topic, bulk) {
  const { action, ...rest } = message;
  const given = Object.entries(rest).filter(([, value]) => value !== null);
  const inS3 = (rest.attachments ?? []).some?.((one) => one?.s3);
  if (action !== "send" || inS3 || given.some(([name]) => !NODE_NAMES[name])) return sdk(text, topic);
  const mail = Object.fromEntries(given.map(([name, value]) => [NODE_NAMES[name], nodeValue(name, value)]));
  if (bulk) mail.lane ??= "bulk";
  return `const nodemailer = require('nodemailer');
const { ionTransport } = require('ion-nodemailer-transport');

const transporter = nodemailer.createTransport(ionTransport({ ${bulk ? "bulkTopicArn" : "topicArn"}: ${quoted(topic)} }));
transporter.sendMail(${script(mail)}).then((info) => console.log(info.emailId));
`;
}

const sdk = (text, topic) => `const { PublishCommand, SNSClient } = require('@aws-sdk/client-sns');

const message = ${script(parsed(text))};
new SNSClient().send(new PublishCommand({ TopicArn: ${quoted(topic)}, Message: JSON.stringify(message) }));
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
