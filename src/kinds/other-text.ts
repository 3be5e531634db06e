/** Beginnings of markup, JSON, PEM and scripts. A table may begin with `<1 h`, `[id]` or `|` all the same. */
const OTHER_LANGUAGE = /^\s*(?:<[!?/]|<[A-Za-z][\w:-]*[\s/>]|\{\s*["}]|\[\s*(?:[[{"\]]|-?\d[\d.]*\s*[,\]])|#!|-----)/;

/** The second line of a table in Markdown. */
const MARKDOWN_RULE = /^[ \t]*\|(?=[^-]*-)[-| :\t]+$/;

/**
 * Words that statements begin with in the languages that are most used, comments, and assignments. A word alone before a
 * delimiter may be a value: `public,12`.
 */
const STATEMENTS = [
  /^\s*(?:import|using|include|require|package|from|def|function|class|const|let|var|return|static|public|private|struct|module|export|typedef|enum|interface|declare|async|await) +[^\s,;|]/,
  /^\s*(?:(?:if|for|while|switch|catch|it|test|expect|describe|require) ?\(|(?:self|this|module|exports|window|Object)\.)/,
  /^\s*(?:["']use strict["'];?\s*$|#\s?(?:include|define|if|ifdef|ifndef|endif|undef)\b|\/\/|\/\*|\*[\s/])/,
  /^[^,;"'|=]{1,80}(?:, ?[^,;"'|=]{1,80}){0,9} (?::|\+|-)?= /,
];

/** Ends of lines that a cell has only by chance. */
const END_OF_STATEMENT = /(?:[{}]|\*\/|\)\s*[:;]|^[^;]*;|=>|[({[])\s*$/;

/** More than this share of the lines of code looks like it; of the lines of a table nearly none. */
const MOST_STATEMENTS = 0.4;

/** True for a page, which programs that make reports like to call `.xls`. */
export function isHtml(text: string): boolean {
  return /^\s*<(?:!doctype html|html|table|meta)\b/i.test(text);
}

/** True for markup, JSON, scripts and code, whose lines may agree on a number of commas. */
export function isOtherLanguage(text: string): boolean {
  if (OTHER_LANGUAGE.test(text)) return true;
  // A line of delimiters alone says nothing.
  const lines = text.split(/[\r\n]/).filter((line) => /[\p{L}\p{N}{}]/u.test(line) || MARKDOWN_RULE.test(line));
  if (lines.length > 1 && MARKDOWN_RULE.test(lines[1] ?? '')) return true;
  return (
    lines.filter((line) => STATEMENTS.some((start) => start.test(line)) || END_OF_STATEMENT.test(line)).length >
    MOST_STATEMENTS * lines.length
  );
}
