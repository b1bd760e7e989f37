"use strict";
// How much of a picture as it was is seen beside the one as it is.
for (const slider of document.querySelectorAll("input[type=range]")) {
  const cut = () => slider.closest("section").style.setProperty("--cut", `${slider.value}%`);
  slider.addEventListener("input", cut);
  cut();
}
