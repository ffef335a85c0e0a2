/**
 * Host names of addresses for parsers, which never wait: a name is in the cache, or it is being asked for and the line is
 * parsed once more when the answer is there. Specification: CrowdSec `pkg/parser/enrich_dns.go`.
 */
import type { Clock } from '../../core/clock.ts';
import type { DnsResolver } from '../../core/dns-resolver.ts';
import { parseIp } from '../../core/ip.ts';

/** What is known of an address now. */
export type ReverseName =
  /** The first PTR record with its trailing dot, "" when there is none or the DNS does not answer. */
  | { readonly kind: 'known'; readonly name: string }
  /** Asked for. `ready` resolves when `ask` will know, and never rejects. */
  | { readonly kind: 'asked'; readonly ready: Promise<void> };

export interface ReverseNames {
  ask(ip: string): ReverseName;
}

export interface ReverseNamesDeps {
  readonly clock: Clock;
  readonly resolver: DnsResolver;
}

const knownForMs = 3_600_000;
const absentForMs = 300_000;
/** A name server that takes longer counts as one that does not answer. */
const patienceMs = 5_000;
/** Addresses whose names are remembered; the oldest answer goes first. */
const mostNames = 16_384;
/** Questions under way at once; beyond it addresses have no name. */
const mostQuestions = 256;

const nameless: ReverseName = Object.freeze({ kind: 'known', name: '' });

interface Answer {
  readonly answer: ReverseName;
  readonly expiresAt: number;
}

export function createReverseNames({ clock, resolver }: ReverseNamesDeps): ReverseNames {
  const answers = new Map<string, Answer>();
  const questions = new Map<string, ReverseName>();

  const remember = (ip: string, name: string): void => {
    answers.delete(ip);
    if (answers.size >= mostNames) removeOldest(answers);
    const expiresAt = clock.now() + (name === '' ? absentForMs : knownForMs);
    answers.set(ip, { answer: name === '' ? nameless : { kind: 'known', name }, expiresAt });
  };

  const lookUp = async (ip: string): Promise<void> => {
    const limit = new AbortController();
    let giveUp = (): void => undefined;
    const late = new Promise<readonly string[]>((resolve) => (giveUp = () => resolve([])));
    const timer = clock.after(patienceMs, () => {
      limit.abort();
      giveUp();
    });
    const names = await Promise.race([resolver.reverse(ip, limit.signal).catch(() => []), late]);
    timer.cancel();
    questions.delete(ip);
    const [first = ''] = names;
    remember(ip, first === '' || first.endsWith('.') ? first : `${first}.`);
  };

  return {
    ask(text) {
      const ip = parseIp(text)?.text;
      if (ip === undefined) return nameless;
      const known = answers.get(ip);
      if (known !== undefined && clock.now() < known.expiresAt) return known.answer;
      const asked = questions.get(ip);
      if (asked !== undefined) return asked;
      if (questions.size >= mostQuestions) return nameless;
      const question: ReverseName = { kind: 'asked', ready: lookUp(ip) };
      questions.set(ip, question);
      return question;
    },
  };
}

function removeOldest(answers: Map<string, Answer>): void {
  for (const oldest of answers.keys()) {
    answers.delete(oldest);
    return;
  }
}
