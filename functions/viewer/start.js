// The page names the document; a script in the page itself would need a laxer Content-Security-Policy.
const root = document.getElementById("viewer");
SwaggerUIBundle({
  url: root.dataset.document,
  domNode: root,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
});
