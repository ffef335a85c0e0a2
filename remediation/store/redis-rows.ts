/** Rows of the Redis store as its scripts keep them, and what they mean. Formats: `redis-script.ts`. */
import { newBouncer, type Bouncer } from '../bouncer.ts';
import type { Decision } from '../decision.ts';
import type { Machine } from '../machine.ts';
import { formatCursor } from './cursor.ts';
import type { ChangePage } from './follow.ts';
import type { AllowlistEntry, AllowlistRecord, StoreChange, StoredDecision } from './store.ts';

/** A row of a decision, `deletedAt|place|JSON`. */
export function storedOf(row: string, epoch: string): StoredDecision {
  const first = row.indexOf('|');
  const second = row.indexOf('|', first + 1);
  const deletedAt = first === 0 ? null : Number(row.slice(0, first));
  const [seq, id = seq] = row.slice(first + 1, second).split(':');
  const cursor = formatCursor(epoch, Number(seq));
  return { id: Number(id), decision: parseDecision(row.slice(second + 1)), deletedAt, cursor };
}

export function snapshotPage([epoch = '', position, ...rows]: string[], now: number): ChangePage {
  const changes: StoreChange[] = [];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const body = rows[index + 1] as string;
    if (rows[index] === 'decision') {
      const { id, decision, deletedAt } = storedOf(body, epoch);
      if (deletedAt === null && decision.until > now) changes.push({ kind: 'decision-added', decision, id });
    } else {
      const entry = parseEntry(body);
      if (entry.until === null || entry.until > now) changes.push({ kind: 'allowlist-added', entry });
    }
  }
  return { epoch, floor: 0, position: Number(position), changes };
}

/** `now` is taken for the time of deletions that were told before it was kept with them. */
export function changePage([epoch = '', floor, position, ...rows]: string[], now: number): ChangePage {
  const changes: StoreChange[] = [];
  for (let index = 0; index + 2 < rows.length; index += 3) {
    const [kind, body, mark] = rows.slice(index, index + 3) as [string, string, string];
    changes.push(changeOf(kind, body, mark, now));
  }
  return { epoch, floor: Number(floor), position: Number(position), changes };
}

function changeOf(kind: string, body: string, mark: string, now: number): StoreChange {
  switch (kind) {
    case 'added':
      return { kind: 'decision-added', decision: parseDecision(body), id: Number.parseInt(mark, 10) };
    case 'deleted': {
      const [id, deletedAt = ''] = mark.split(':');
      const decision = parseDecision(body);
      return {
        kind: 'decision-deleted',
        decision,
        id: Number(id),
        deletedAt: deletedAt === '' ? now : Number(deletedAt),
      };
    }
    case 'entry':
      return { kind: 'allowlist-added', entry: parseEntry(body) };
    default:
      return { kind: 'allowlist-deleted', ...parseMember(body) };
  }
}

/** The field of an allowlist entry in its hash. */
export function entryMember(list: string, value: string): string {
  return JSON.stringify([list, value]);
}

function parseMember(member: string): { list: string; value: string } {
  if (!member.startsWith('["')) return { list: 'default', value: member };
  const [list, value] = JSON.parse(member) as [string, string];
  return { list, value };
}

export function parseEntry(body: string): AllowlistEntry {
  const entry = JSON.parse(body) as Omit<AllowlistEntry, 'list'> & { readonly list?: string };
  return { ...entry, list: entry.list ?? 'default' };
}

/** Names and rows in turn. */
export function parseLists(rows: readonly string[]): AllowlistRecord[] {
  const lists: AllowlistRecord[] = [];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const [, createdAt, updatedAt, description = ''] =
      /^(-?\d+)\|(-?\d+)\|(.*)$/s.exec(rows[index + 1] as string) ?? [];
    lists.push({
      name: rows[index] as string,
      description,
      createdAt: Number(createdAt),
      updatedAt: Number(updatedAt),
    });
  }
  return lists;
}

/** JSON whose every value is JSON text: Lua cannot tell an empty list from an empty object, and need not when both are texts. */
export function documentText(document: Bouncer | Machine | object): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(document).map(([field, value]) => [field, JSON.stringify(value)])),
  );
}

export function parseMachine(body: string): Machine {
  return parseDocument(JSON.parse(body) as Record<string, string>) as unknown as Machine;
}

export function parseBouncer(body: string): Bouncer {
  const fields = JSON.parse(body) as EarlierBouncer | Record<string, string>;
  if (isEarlierBouncer(fields)) return newBouncer(fields.name, fields.keyHash, fields.createdAt);
  // A sighting of an earlier one has put only what it names into the new form.
  return { ...newBouncer('', '', 0), ...(parseDocument(fields) as Partial<Bouncer>) };
}

type EarlierBouncer = Pick<Bouncer, 'name' | 'keyHash' | 'createdAt'>;

function isEarlierBouncer(fields: EarlierBouncer | Record<string, string>): fields is EarlierBouncer {
  return typeof fields.createdAt === 'number';
}

function parseDocument(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, JSON.parse(text) as unknown]));
}

function parseDecision(body: string): Decision {
  return JSON.parse(body) as Decision;
}
