/** Beginnings of markup, JSON, PEM, scripts and X bitmaps. `<1 h`, `[id]` and `|` may begin a table. */
const OTHER_LANGUAGE =
  /^\s*(?:<[!?/]|<[A-Za-z][\w:-]*[\s/>]|\{\s*["}]|\[\s*(?:[[{"\]]|-?\d[\d.]*\s*[,\]])|#!|#define |-----)/;

/** The second line of a table in Markdown, which may follow other text. */
const MARKDOWN_RULE = /^[ \t]*\|(?=[^-]*-)[-| :\t]+$/;

/**
 * Comments, assignments, and the first words of statements in the most common languages. A word directly before a
 * delimiter does not count, because it may be a value: `public,12`.
 */
const STATEMENTS = [
  /^\s*(?:import|using|include|require|package|from|def|function|class|const|let|var|return|static|public|private|struct|module|export|typedef|enum|interface|declare|async|await) +[^\s,;|]/,
  /^\s*(?:(?:if|for|while|switch|catch|it|test|expect|describe|require) ?\(|(?:self|this|module|exports|window|Object)\.)/,
  /^\s*(?:["']use strict["'];?\s*$|#\s?(?:include|define|if|ifdef|ifndef|endif|undef)\b|\/\/|\/\*|\*[\s/])/,
  /^[^,;"'|=]{1,80}(?:, ?[^,;"'|=]{1,80}){0,9} (?::|\+|-)?= /,
];

/** Line ends of code. Cells of tables rarely end like this. */
const END_OF_STATEMENT = /(?:[{}]|\*\/|\)\s*[:;]|^[^;]*;|=>|[({[])\s*$/;

/** If more than this share of the lines looks like code, the text is code. */
const MOST_STATEMENTS = 0.4;

/** True for a web page. Some programs write reports as web pages with the name `.xls`. */
export function isHtml(text: string): boolean {
  return /^\s*<(?:!doctype html|html|table|meta)\b/i.test(text);
}

/** True for markup, JSON, scripts and code. Their lines may have equal numbers of commas, like tables. */
export function isOtherLanguage(text: string): boolean {
  if (OTHER_LANGUAGE.test(text)) return true;
  const all = text.split(/[\r\n]/);
  // Skip lines that contain only delimiters.
  const lines = all.filter((line) => /[\p{L}\p{N}{}]/u.test(line) || MARKDOWN_RULE.test(line));
  if (MARKDOWN_RULE.test(lines[1] ?? '') || hasMarkdownRule(all)) return true;
  return (
    lines.filter((line) => STATEMENTS.some((start) => start.test(line)) || END_OF_STATEMENT.test(line)).length >
    MOST_STATEMENTS * lines.length
  );
}

/** Returns whether a line outside of quotes is the rule of a table in Markdown. A cell may hold such a table. */
function hasMarkdownRule(lines: readonly string[]): boolean {
  let quotes = 0;
  return lines.some((line) => {
    quotes += line.split('"').length - 1;
    return quotes % 2 === 0 && line.includes('---') && MARKDOWN_RULE.test(line);
  });
}
