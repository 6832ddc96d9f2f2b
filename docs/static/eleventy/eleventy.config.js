// À ajouter à votre eleventy.config.js (avec Eleventy 2 : .eleventy.js) / to add to yours (with Eleventy 2: .eleventy.js)
module.exports = (config) => {
  config.addPassthroughCopy("assets/agenda");
};
