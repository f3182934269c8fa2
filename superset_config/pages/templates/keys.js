// Answers by keyboard. A step is an element with data-step: j and k (or arrows) move, n goes to the next without an
// answer, a digit gives an answer, x marks for several at once. Without this script, the links and fields do the same.
(() => {
  const steps = [...document.querySelectorAll("[data-step]")];
  const current = () => steps.indexOf(document.activeElement?.closest("[data-step]"));
  const go = (step) => {
    if (!step) return;
    step.focus();
    step.scrollIntoView({ block: "nearest" });
  };
  const answer = (step, number) => {
    const choice = step.querySelectorAll("input[type=radio]")[number - 1];
    if (choice) {
      choice.checked = true;
      step.querySelector("input[type=text]")?.focus();
    }
    const list = step.querySelector("select");
    if (list && number < list.options.length) list.selectedIndex = number;
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const at = current();
    const field = event.target.closest("input[type=text], select, textarea");
    if (field) {
      if (event.key === "Escape" && at >= 0) go(steps[at]);
      return;
    }
    const isRadio = event.target.matches("input[type=radio]");
    const { key } = event;
    if (key === "j" || (key === "ArrowDown" && !isRadio)) go(steps[at + 1]);
    else if (key === "k" || (key === "ArrowUp" && !isRadio)) go(steps[Math.max(at - 1, 0)]);
    else if (key === "n") go(steps.find((step, place) => place > at && step.dataset.step === "open"));
    else if (key === "x" && at >= 0) steps[at].querySelector("input[type=checkbox]")?.click();
    else if (/^[1-9]$/.test(key) && at >= 0) answer(steps[at], Number(key));
    else return;
    event.preventDefault();
  });
  go(steps.find((step) => `#${step.id}` === location.hash));
})();
