// Where an email stands (ops/result/life.py, LifeState): sign, tone and word.
export const STATES = {
  never_seen: ["dots", "plain", "Never seen"],
  queued: ["stack", "plain", "Queued"],
  scheduled: ["ring", "plain", "Scheduled"],
  sending: ["disc", "good", "Being sent"],
  deferred: ["triangle", "warn", "Deferred"],
  sent: ["disc", "good", "Sent"],
  dead_lettered: ["cross", "bad", "Dead-lettered"],
  in_doubt: ["triangle", "warn", "In doubt"],
  cancelled: ["square", "plain", "Cancelled"],
  suppressed: ["square", "warn", "Not sent: suppressed"],
  bounced: ["cross", "bad", "Bounced"],
};
