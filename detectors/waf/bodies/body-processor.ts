/**
 * What every body processor is: bytes in, variables out. It never throws: what cannot be read becomes `error`, and what was
 * read before it is kept. All strings are latin1: one character for each byte.
 */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface BodyLimits {
  /** Arguments kept; the rest is dropped and `argumentsDropped` set. */
  readonly arguments: number;
  /** Nesting of JSON and XML. */
  readonly depth: number;
  /** Uploaded files. */
  readonly files: number;
}

export interface UploadedFile {
  /** Name of the form field. */
  readonly field: string;
  /** The file name that the client sent. */
  readonly name: string;
  readonly size: number;
  readonly content: string;
}

/** Each is one of ModSecurity's MULTIPART_… flags. */
export interface MultipartFlags {
  readonly boundaryQuoted: boolean;
  readonly boundaryWhitespace: boolean;
  readonly dataBefore: boolean;
  readonly dataAfter: boolean;
  readonly headerFolding: boolean;
  readonly invalidHeaderFolding: boolean;
  readonly lfLine: boolean;
  readonly crlfLfLines: boolean;
  readonly missingSemicolon: boolean;
  readonly invalidQuoting: boolean;
  readonly invalidPart: boolean;
  readonly fileLimitExceeded: boolean;
  readonly unmatchedBoundary: boolean;
}

export interface BodyContents {
  /** ARGS_POST. */
  readonly args: readonly NamedValue[];
  readonly argumentsDropped: boolean;
  readonly files: readonly UploadedFile[];
  /** MULTIPART_PART_HEADERS: named by the form field, valued `Name: value`. */
  readonly partHeaders: readonly NamedValue[];
  readonly multipart: MultipartFlags | null;
  /** `XML:/*`: each text node that is not blank, trimmed. Null: the body was not read as XML. */
  readonly xmlTexts: readonly string[] | null;
  /** `XML://@*`: the value of each attribute. */
  readonly xmlAttributes: readonly string[];
  /** The processor fills REQUEST_BODY (URLENCODED and RAW do; JSON, XML and MULTIPART leave it empty). */
  readonly fillsRequestBody: boolean;
  /** "" when all of it was understood. */
  readonly error: string;
}

export interface BodyContext {
  /** The Content-Type header, "" when there is none. */
  readonly contentType: string;
  readonly limits: BodyLimits;
  /** Only the beginning of the body is here: its end is no mistake. */
  readonly truncated: boolean;
  /** `SecArgumentSeparator`, `&` unless set. */
  readonly separator: string;
}

export interface BodyProcessor {
  /** As `ctl:requestBodyProcessor` names it: `URLENCODED`. */
  readonly name: string;
  readonly process: (body: string, context: BodyContext) => BodyContents;
}
