// How results of the search are ordered: Sphinx's own numbers, then chapters before other pages, and the changelog last.
var Scorer = {
  score: ([page, , , , score]) => score + (/^(learn|use)\/|^explain$/.test(page) ? 4 : page === "changelog" ? -20 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
