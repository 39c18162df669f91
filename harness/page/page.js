// Buttons that copy, and a field that filters the findings; without scripts the page lacks nothing else.
document.querySelectorAll(".copy").forEach(function (block) {
  var pre = block.querySelector("pre"), button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", function () {
    function done() {
      button.textContent = "copied";
      setTimeout(function () { button.textContent = "copy"; }, 1500);
    }
    function by_selection() {
      getSelection().selectAllChildren(pre);
      if (document.execCommand("copy")) done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(pre.textContent).then(done, by_selection);
    else by_selection();
  });
  block.appendChild(button);
});
var contents = document.querySelector("#findings table.contents");
if (contents && contents.tBodies[0].rows.length > 5) {
  var field = document.createElement("input"), label = document.createElement("label");
  field.type = "search";
  label.className = "filter";
  label.append("Filter ", field);
  field.addEventListener("input", function () {
    document.querySelectorAll("#findings table.contents tbody tr, #findings article").forEach(function (item) {
      var facts = item.querySelector(".opinion, .facts"); // none where a report cannot be read
      var words = item.tagName === "TR" ? item.textContent : item.querySelector("h3").textContent + (facts ? facts.textContent : "");
      item.hidden = words.toLowerCase().indexOf(field.value.toLowerCase()) < 0;
    });
  });
  contents.parentNode.before(label);
}
