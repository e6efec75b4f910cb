// Publishes messages by sns-sqs-big-payload: {"options", "s3", "topic", "queue"} on standard input,
// of which "topic" and "queue" are what each producer publishes.
'use strict';

const { readFileSync } = require('node:fs');
const { S3 } = require('aws-sdk');
const { SnsProducer, SqsProducer } = require('sns-sqs-big-payload');

async function main() {
  const input = JSON.parse(readFileSync(0, 'utf8'));
  const options = { ...input.options, s3: new S3(input.s3) };
  for (const message of input.topic) await SnsProducer.create(options).publishJSON(message);
  for (const message of input.queue) await SqsProducer.create(options).sendJSON(message);
}

main();
