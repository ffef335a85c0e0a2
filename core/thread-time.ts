/**
 * Processor time that this thread has used, in milliseconds from an arbitrary start. For bounds on work: on a busy machine the
 * clock on the wall also counts the time in which others ran.
 */
export function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
