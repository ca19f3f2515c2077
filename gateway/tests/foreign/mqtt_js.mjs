// Drives mqtt.js: node mqtt_js.mjs '{"url": …, "qos": …, …}'; prints one JSON line.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const given = JSON.parse(process.argv[2]);
const mqtt = createRequire(`${given.modules}/`)("mqtt");
const secret = readFileSync(0, "utf8").trim();
const told = { codes: [], messages: [], retained: [] };

const client = mqtt.connect(given.url, {
  protocolVersion: given.version,
  username: given.name,
  password: secret,
  clientId: given.client,
  clean: given.clean,
  keepalive: 2,
  reconnectPeriod: 0,
  ...(given.ca && { wsOptions: { ca: readFileSync(given.ca), servername: given.server } }),
  will: given.will && { topic: given.will, payload: "gone", qos: 2, retain: true },
});

function finish(extra) {
  console.log(JSON.stringify({ ...told, ...extra }));
  process.exit(0);
}

client.on("error", (error) => finish({ error: error.message, code: error.code }));
client.on("message", (topic, payload, packet) => {
  told.messages.push([topic, payload.toString(), packet.qos, packet.retain]);
});
client.on("connect", async () => {
  const granted = await client.subscribeAsync(given.topic, { qos: given.qos });
  told.codes = granted.map((one) => one.qos);
  const all = [];
  for (let number = 0; number < given.count; number++) {
    all.push(client.publishAsync(given.topic, `${number}`, { qos: given.qos }));
  }
  await Promise.all(all);
  // Longer than its keep-alive: it has to ping, and to be answered.
  await new Promise((done) => setTimeout(done, given.linger));
  if (given.crash) client.stream.destroy();
  else await client.endAsync();
  finish({});
});
