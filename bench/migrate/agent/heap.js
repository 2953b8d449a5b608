// Fills its heap with objects, of so many MiB as its first argument says and with
// texts from the file that the second one names, and changes them. Each is checked before it is
// changed: its generation must be the one in a table of its own, and its sum
// that of its content.
//
// Takes commands from its standard input, a line each:
//   work MILLISECONDS RATE   changes objects, RATE a second, or as many as can
//                            be if that is 0; answers "worked"
//   check                    checks all objects; answers "checked N bad BAD"
// and prints "did OPS bad BAD" every few milliseconds while it works.
'use strict';

const TEXT = require('fs').readFileSync(process.argv[3]);
const OBJECT_BYTES = 1500; // about

let state = 20240229;
function random(below) { // xorshift
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  return (state >>> 0) % below;
}

function text(bytes) {
  const at = random(TEXT.length - bytes);
  return TEXT.latin1Slice(at, at + bytes);
}

function sumOfText(sum, s) {
  for (let i = 0; i < s.length; i++) sum = Math.imul(sum ^ s.charCodeAt(i), 0x01000193);
  return sum;
}

function sumOf(o) {
  let sum = sumOfText(o.id ^ o.generation, o.name);
  for (const line of o.lines) sum = sumOfText(sum ^ line.count, line.text);
  for (const price of o.prices) sum = Math.imul(sum ^ (price * 100), 0x01000193);
  return sum;
}

function make(id) {
  const o = { id, generation: 0, name: text(24), lines: [], prices: [], sum: 0 };
  for (let i = 0; i < 4; i++) o.lines.push({ count: random(1000), text: text(80) });
  for (let i = 0; i < 40; i++) o.prices.push(random(100000) / 100);
  o.sum = sumOf(o);
  return o;
}

const count = Math.max(1, Math.floor(process.argv[2] * 1048576 / OBJECT_BYTES));
const objects = [];
const generations = new Uint32Array(count);
for (let id = 0; id < count; id++) objects.push(make(id));

function right(o, id) {
  return o.id === id && o.generation === generations[id] && o.sum === sumOf(o);
}

// Changes an object, one of a tenth of them nine times in ten, and returns
// whether it was right before.
function change() {
  let id = random(count);
  if (random(10) > 0) id = Math.floor(id / 10);
  const o = objects[id];
  const was = right(o, id);
  o.generation = ++generations[id];
  o.lines[random(4)] = { count: random(1000), text: text(80) };
  o.prices[random(40)] = random(100000) / 100;
  o.sum = sumOf(o);
  return was;
}

function say(line) { process.stdout.write(line + '\n'); }

let owed = 0, paid = 0; // changes due, and the time up to which they are

function work(until, rate) {
  const began = performance.now();
  if (rate > 0) {
    // What could not be done within a tenth of a second is not made up for.
    owed = Math.min(owed + rate * (began - paid) / 1000, rate / 10);
    paid = began;
  } else {
    owed = Infinity;
  }
  let did = 0, bad = 0;
  for (; owed >= 1 && performance.now() < began + 10; did++, owed--) {
    if (!change()) bad++;
  }
  if (did > 0) say(`did ${did} bad ${bad}`);
  if (performance.now() >= until) say('worked');
  else setTimeout(work, rate > 0 ? 5 : 0, until, rate);
}

function check() {
  let bad = 0;
  for (let id = 0; id < count; id++) if (!right(objects[id], id)) bad++;
  say(`checked ${count} bad ${bad}`);
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const words = line.split(' ');
  if (words[0] === 'work') work(performance.now() + Number(words[1]), Number(words[2]));
  else if (words[0] === 'check') check();
  else say('no such command: ' + line);
});
say(`filled ${count} objects of about ${OBJECT_BYTES} bytes`);
