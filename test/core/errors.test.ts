import t from 'tap';
import { errorCodes, exitStatus, GatewayError, messageOf } from '../../core/errors.ts';

t.test('an error carries its code, a public message, a remedy and a private cause', async (t) => {
  const cause = new Error('EACCES /etc/secret');
  const error = new GatewayError('STORE_FULL', 'the disk is full', { remedy: 'make room', cause });
  t.type(error, Error);
  t.equal(error.name, 'GatewayError');
  t.equal(error.code, 'STORE_FULL');
  t.equal(error.message, 'the disk is full');
  t.equal(error.remedy, 'make room');
  t.equal(error.cause, cause);
  t.notMatch(error.message, 'secret');
});

t.test('remedy and cause may be absent', async (t) => {
  const error = new GatewayError('USAGE', 'what?');
  t.equal(error.remedy, null);
  t.notOk('cause' in error);
});

t.test('codes are upper-case words and each has a sentence', async (t) => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    t.match(code, /^[A-Z]+(?:_[A-Z]+)*$/);
    t.match(meaning, /^[A-Z].{10,}\.$/, code);
  }
});

t.test('exit statuses are distinct, and those of sysexits are as sysexits has them', async (t) => {
  const values = Object.values(exitStatus);
  t.equal(new Set(values).size, values.length);
  t.match(exitStatus, { ok: 0, usage: 64, unavailable: 69, internal: 70, settings: 78 });
});

t.test('anything thrown has a text', async (t) => {
  t.equal(messageOf(new Error('boom')), 'boom');
  t.equal(messageOf('boom'), 'boom');
  t.equal(messageOf(undefined), 'undefined');
  t.equal(messageOf({ code: 1 }), '[object Object]');
  t.equal(messageOf(Object.create(null)), 'an object without a text');
});
