/* Suites of the page and the client share one service and one browser. page-look leaves uploads, so it is last. */
import './page.ts';
import './page-intake.ts';
import './client-recipes.ts';
import './page-look.ts';
