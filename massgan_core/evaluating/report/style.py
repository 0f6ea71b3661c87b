"""How the page looks: light, dark, printed, and on a phone."""

from __future__ import annotations

from massgan_core.evaluating.report.palette import css

_PAGES = f"""
:root{{color-scheme:light dark;--page:#f4f5f7;--soft:#eaedf0;--bad:#a3270d;--badsoft:#fbe7e1;
--link:#0b5cad;--goodsoft:#e2f2e6;--good:#1f6b35;{css(False)}}}
@media screen and (prefers-color-scheme:dark){{:root{{--page:#0f1216;--soft:#222830;--bad:#ffab94;
--badsoft:#45221a;--link:#79b8ff;--goodsoft:#173321;--good:#86d99d;{css(True)}}}}}
"""

STYLE = (
    _PAGES
    + """
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:3.6rem;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:break-word;
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
a{color:var(--link)}
main,.top{max-width:1240px;margin:0 auto;padding:0 clamp(14px,3vw,32px)}
nav{position:sticky;top:0;z-index:5;background:var(--card);border-bottom:1px solid var(--line)}
nav .top{display:flex;gap:1.4rem;overflow-x:auto;white-space:nowrap;padding-top:.6rem;
padding-bottom:.6rem;font-size:.94rem}
nav a{text-decoration:none;color:var(--ink)}
nav a:hover{color:var(--link);text-decoration:underline}
header{padding:2rem 0 .6rem}
h1{text-wrap:balance;font-size:clamp(1.55rem,4.5vw,2.15rem);line-height:1.18;margin:0 0 .5rem;
letter-spacing:-.01em}
h2{font-size:1.5rem;line-height:1.25;margin:3.2rem 0 .3rem;letter-spacing:-.005em}
h3{font-size:1.16rem;margin:2.2rem 0 .3rem}
h4{font-size:1rem;line-height:1.35;margin:0}
p{margin:.4rem 0 .8rem;max-width:76ch}
.lead{font-size:1.08rem}
.faint,caption,figcaption{color:var(--faint)}
small,.small{font-size:.88rem}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;
margin:.7rem 0 1rem}
.scroll:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid var(--link);
outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.7rem .8rem .3rem;caption-side:top;font-size:.88rem}
th,td{padding:.34rem .8rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
thead th{border-top:0;vertical-align:bottom}
caption span{position:sticky;left:.8rem;display:inline-block;white-space:normal;
max-width:min(100%,calc(100vw - 4.2rem))}
.short thead th:not(.left){white-space:normal;min-width:4.6rem}
th{font-weight:600}
th:first-child,td:first-child,.left{text-align:left}
thead tr+tr th,thead tr+tr th:first-child{border-top:0;text-align:right;padding-top:0}
tbody th{font-weight:400}
.wrap{white-space:normal;min-width:13rem;text-align:left}
th[scope=row]{position:sticky;left:0;background:var(--card);z-index:1}
.group th{position:static;background:var(--soft);font-weight:600;font-size:.86rem;
text-align:left}
.group th span{position:sticky;left:.8rem}
td.best{font-weight:700}
td .pm{color:var(--faint);font-weight:400}
td.best .pm{color:inherit;font-weight:700}
td.none{color:var(--faint)}
.goal{color:var(--faint);font-size:.84em;padding-left:.5em}
tbody tr:hover td,tbody tr:hover th[scope=row]{background:var(--soft)}
.sign{font-size:.86em;margin-right:.38em}
.badge{display:inline-block;padding:.02rem .55rem;border-radius:1rem;font-size:.86rem;
font-weight:600;white-space:nowrap}
.bad{background:var(--badsoft);color:var(--bad)}
.good{background:var(--goodsoft);color:var(--good)}
.open{background:var(--soft);color:var(--faint)}
.cards{columns:350px 3;column-gap:14px;margin:.8rem 0 1.2rem}
.cards>.card{break-inside:avoid;margin:0 0 14px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,350px),1fr));gap:14px;
margin:.8rem 0 1.2rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.85rem 1rem}
.card .head{display:flex;justify-content:space-between;gap:.8rem;align-items:baseline}
.card ul{margin:.5rem 0 0;padding-left:1.1rem}
.card li{margin:.3rem 0;font-size:.93rem;line-height:1.45}
.card p{font-size:.93rem;margin:.45rem 0 0}
figure{margin:0;display:flex;flex-direction:column}
figure svg{width:100%;height:auto;display:block;margin:.35rem 0 .1rem}
figure svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif!important}
figcaption{font-size:.88rem;line-height:1.42}
ul.legend,.card ul.legend{display:flex;flex-wrap:wrap;gap:.05rem .95rem;font-size:.86rem;
margin:.2rem 0 .3rem;padding:0;list-style:none}
.card .legend li{margin:0;font-size:inherit}
.wide{grid-column:1/-1}
.wide .pan{overflow-x:auto}
.wide svg{min-width:900px}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:.8rem 0}
dl.facts dd,dl.words dd{margin:0}
dt{font-weight:600}
dl.words{columns:2 24rem;column-gap:2.4rem;font-size:.94rem}
dl.words div{break-inside:avoid;margin:0 0 .75rem}
footer{color:var(--faint);font-size:.88rem;margin:3rem 0 2rem;border-top:1px solid var(--line);
padding-top:.8rem}
@media (max-width:620px){th,td{padding:.34rem .55rem}.figures th[scope=row]{white-space:normal;
min-width:8.6rem;max-width:8.6rem}.goal{display:block;padding:0}h2{margin-top:2.4rem}
dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.5rem}}
@media print{nav{display:none}body{background:#fff;font-size:10pt}main{max-width:none;padding:0}
.scroll{overflow:visible;border:0}.scroll table{font-size:7.6pt}th,td{padding:.14rem .4rem}
caption,.group th,.badge{font-size:1em}.plots{grid-template-columns:1fr 1fr 1fr}.cards{columns:3}
figure,.card,tr{break-inside:avoid}h2,h3{break-after:avoid}.wide svg{min-width:0}
th[scope=row]{position:static}a{color:inherit;text-decoration:none}}
@page{size:landscape;margin:14mm}
"""
)
