/** Waiting for what happens in its own time: another program, a socket, a write behind the request path. */

/** How long the slowest of them may take on a busy machine. */
const patienceMs = 60_000;
const longestPauseMs = 50;

/**
 * Asks until `right` says so of an answer, and gives that answer; without `right` it is waited for `true`. Pauses grow with the time
 * that has passed. Rejects with the last answer, or what asking raised.
 */
export async function eventually<Answer>(
  ask: () => Answer | Promise<Answer>,
  right: (answer: Answer) => boolean = (answer) => answer === true,
  waitingFor = 'an answer',
): Promise<Answer> {
  for (const begun = performance.now(); ; ) {
    let last: unknown;
    try {
      const answer = await ask();
      if (right(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    const waited = performance.now() - begun;
    if (waited > patienceMs) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last)?.slice(0, 4_000);
      throw new Error(`waited ${patienceMs} ms in vain for ${waitingFor}; last seen: ${seen}`);
    }
    await pause(Math.min(longestPauseMs, Math.floor(waited / 10)));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void (ms < 1 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}
