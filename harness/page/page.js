// Buttons that copy, a field that filters the findings, and links into what is folded; without scripts the
// page lacks nothing else.
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
      // Of a card, what heads it and its members; where a report cannot be read no more than that.
      var parts = item.tagName === "TR" ? [item] : item.querySelectorAll("h3, summary, .opinion, .facts");
      var words = Array.from(parts, function (part) { return part.textContent; }).join(" ");
      item.hidden = words.toLowerCase().indexOf(field.value.toLowerCase()) < 0;
    });
  });
  contents.parentNode.before(label);
}
function unfold() {
  var target = document.getElementById(location.hash.slice(1)), folded = target && target.closest("details");
  if (!folded) return;
  for (var at = folded; at; at = at.parentElement && at.parentElement.closest("details")) at.open = true;
  folded.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
