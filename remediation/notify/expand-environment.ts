/** `${NAME}` and `$NAME` in settings, as CrowdSec expands them: only variables that are set, everything else stays. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Inserted values are not expanded again. */
export function expandEnvironment(text: string, environment: Environment): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (written, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      return (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? written;
    },
  );
}
