// Copies a command by one click, and loads the page anew, unless somebody reads on in it.
for (const button of document.querySelectorAll("button")) button.hidden = false;
document.addEventListener("click", async ({ target }) => {
  if (target.localName !== "button") return;
  const command = target.previousElementSibling;
  let copied = true;
  try {
    await navigator.clipboard.writeText(command.textContent);
  } catch {
    getSelection().selectAllChildren(command);
    copied = document.execCommand("copy");
  }
  target.textContent = copied ? "Copied" : "Press Ctrl+C";
});
setInterval(() => {
  const reads = !getSelection().isCollapsed || document.querySelector("details[open]");
  document.getElementById("paused").hidden = !reads;
  if (!reads) location.reload();
}, 15000);
