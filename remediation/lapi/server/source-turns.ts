/**
 * Work for one source at a time: what many ask for at once from one address waits for each other there, and for nobody else. So
 * its failures count before its next attempt is looked at, and it takes one place of a common queue, whatever it sends.
 */

export interface SourceTurns {
  /** Runs `work` when the source's earlier ones have ended. False, at once: too many wait already. */
  run<T>(source: string, work: () => Promise<T>): Promise<T> | false;
  /** Sources with work under way. */
  readonly size: number;
}

interface Line {
  last: Promise<unknown>;
  length: number;
}

export function createSourceTurns(mostOfSource: number): SourceTurns {
  const lines = new Map<string, Line>();

  const runInLine = async <T>(source: string, line: Line, work: () => Promise<T>): Promise<T> => {
    const mine = line.last.then(work, work);
    line.last = mine;
    line.length++;
    try {
      return await mine;
    } finally {
      if (--line.length === 0) lines.delete(source);
    }
  };

  return {
    run(source, work) {
      const line = lines.get(source) ?? { last: Promise.resolve(), length: 0 };
      if (line.length >= mostOfSource) return false;
      lines.set(source, line);
      return runInLine(source, line, work);
    },
    get size() {
      return lines.size;
    },
  };
}
