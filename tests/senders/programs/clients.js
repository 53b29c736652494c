// The same for the clients of npm: node clients.js NAME ADDRESS KEY; then a line of JSON for each thing to do.
'use strict';
const readline = require('readline');
const [name, address, key] = process.argv.slice(2);
const TITLE = 'Disk of db1 is full';
console.log = console.error; // the answers alone go to standard output; opsgenie-sdk tells of a refused connection there

function pdjs() {
  const { event } = require('@pagerduty/pdjs');
  const server = address.split('://')[1];
  const send = (action) => async (one) => {
    const payload = { summary: TITLE, source: 'db1', severity: 'critical' };
    const answer = await event({
      server,
      data: { routing_key: key, event_action: action, dedup_key: one, ...(action === 'trigger' ? { payload } : {}) },
    });
    if (answer.status !== undefined && answer.status !== 202) throw new Error(`answered ${answer.status}`);
    return answer.data || answer;
  };
  return { fire: send('trigger'), acknowledge: send('acknowledge'), resolve: send('resolve') };
}

function opsgenie() {
  const sdk = require('opsgenie-sdk');
  sdk.configure({ host: address, api_key: key });
  const told = (call) => (one) => new Promise((done, failed) => call(one, (error, answer) => (error ? failed(error) : done(answer))));
  const id = (one) => ({ identifier: one, identifierType: 'alias' });
  return {
    fire: told((one, then) => sdk.alertV2.create({ message: TITLE, alias: one, priority: 'P1', tags: ['db'] }, then)),
    acknowledge: told((one, then) => sdk.alertV2.acknowledge(id(one), { user: 'lena' }, then)),
    resolve: told((one, then) => sdk.alertV2.close(id(one), { note: 'over' }, then)),
  };
}

const does = { pdjs, opsgenie }[name]();
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
say({ said: Object.keys(does) });
(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [verb, one] = JSON.parse(line);
    try {
      say({ said: JSON.stringify(await does[verb](one)).slice(0, 300) });
    } catch (error) {
      say({ failed: String((error && error.message) || JSON.stringify(error)).slice(0, 300) });
    }
  }
})();
