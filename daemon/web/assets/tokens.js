// API tokens: a new one is shown once while the list beside it is renewed.

import "./once.js";
