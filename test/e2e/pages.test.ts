/* Suites of the page share one service and one browser. page-accessibility leaves uploads, so it is last. */
import './page.ts';
import './page-intake.ts';
import './page-viewer.ts';
import './page-accessibility.ts';
