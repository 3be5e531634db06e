/* Suites of requests that are refused; they share one API process. */
import './bad-forms.ts';
import './bad-framing.ts';
import './bad-tus.ts';
import './expectations.ts';
