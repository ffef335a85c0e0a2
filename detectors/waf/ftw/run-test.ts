/** Runs one test: its stages in order, until one is not as expected. Specification: go-ftw `runner/run.go`. */
import { buildRequest } from './build-request.ts';
import { checkStage, type StageOutcome } from './check-stage.ts';
import type { FtwPlace, FtwStage } from './ftw-test.ts';
import type { OverriddenTest } from './read-overrides.ts';

/** Where requests go: the engine (`engine-sender.ts`) or a gateway (`http-sender.ts`). Never rejects. */
export interface RequestSender {
  /** `raw` is a binary string: the whole request. */
  send(raw: string): Promise<StageOutcome>;
}

export interface FtwFailure {
  /** `942100-7`. */
  readonly test: string;
  /** From 1. */
  readonly stage: number;
  readonly file: string;
  readonly line: number;
  readonly description: string;
  readonly expected: string;
  readonly found: string;
  /** The request as it was sent, one character for each byte; its beginning when it is long. */
  readonly request: string;
}

/** Null: it passed. */
export async function runTest({ test, override }: OverriddenTest, sender: RequestSender): Promise<FtwFailure | null> {
  let failure: FtwFailure | null = null;
  for (const [index, stage] of test.stages.entries()) {
    const mismatch = await runStage(stage, sender);
    if (mismatch === null) continue;
    failure = { ...about(test, index), ...mismatch };
    break;
  }
  if (override?.expectFailure !== true) return failure;
  if (failure !== null) return null;
  return { ...about(test, 0), expected: 'a failure, as its override says', found: 'it passed', request: '' };
}

type StageMismatch = Pick<FtwFailure, 'expected' | 'found' | 'request'>;

async function runStage({ input, output }: FtwStage, sender: RequestSender): Promise<StageMismatch | null> {
  const raw = buildRequest(input);
  let mismatch = checkStage(output, await sender.send(raw));
  if (mismatch !== null && output.retryOnce) mismatch = checkStage(output, await sender.send(raw));
  return mismatch === null ? null : { ...mismatch, request: raw.slice(0, shownRequest) };
}

/** The longest requests of the suite have 64 kB in one argument. */
const shownRequest = 4_096;

function about(
  test: { readonly id: string; readonly description: string; readonly place: FtwPlace },
  index: number,
): Pick<FtwFailure, 'test' | 'stage' | 'file' | 'line' | 'description'> {
  const { id, description, place } = test;
  return { test: id, stage: index + 1, file: place.file, line: place.line, description };
}
