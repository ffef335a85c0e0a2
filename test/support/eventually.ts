/** Waiting for what another program does in its own time. */

/** How long the slowest of them may take on a busy machine. */
const patienceMs = 60_000;
const pauseMs = 50;

/** Asks until `right` says so of an answer, and gives that answer. Rejects with the last answer, or what asking raised. */
export async function eventually<Answer>(
  ask: () => Answer | Promise<Answer>,
  right: (answer: Answer) => boolean,
  waitingFor: string,
): Promise<Answer> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (right(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > giveUpAt) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last)?.slice(0, 2_000);
      throw new Error(`waited ${patienceMs} ms in vain for ${waitingFor}; last seen: ${seen}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
