/* Suites of pages at another origin than the service. They share one service and one browser. */
import './other-clients.ts';
import './uppy-tus.ts';
import './client-recipes.ts';
import './uppy.ts';
import './uppy-direct.ts';
import './filepond.ts';
import './react.ts';
