/**
 * Common given names of several languages, without those that are also words of codes. A value that has one is taken for
 * a person's: it is written nowhere. The list is a second fence: the first is that property names of persons, and those
 * that say nothing, make no enum of such values.
 */
const NAMES = `
aaron abdul abdullah adam adrian agnes ahmad ahmed aisha akira alan albert alejandro alex alexander alexandra alfred ali
alice alina amanda amelia amina amir amy ana anastasia andrea andreas andrew andy angela anita ann anna anne annie antonio
arjun arthur astrid barbara beatriz ben benjamin bernard beth betty bob boris brian bruno camila carla carlos carmen carol
caroline catherine cecilia charles charlie charlotte chen chiara chloe chris christian christina christine christopher
claire clara claudia claus daniel daniela david deborah denise dennis diana diego dieter dmitri dmitry donald donna dora
dorothy edith eduardo edward elena elias elif elisabeth elizabeth ella ellen emil emily emma eric erik erika ernst esther
ethan eva evelyn fatima felix fernanda fernando francesca francesco francois frank franz fred frida friedrich gabriel
gabriela george georg gerald gerhard giovanni giulia gloria greta gunter guo hannah hans harold harry hassan heather heidi
heinrich helen helena helga henry hiroshi hugo ian ibrahim ida igor ines ingrid irene isaac isabel isabella ivan ivana
jack jacob jacqueline james jan jane janet jasmin jason javier jean jennifer jens jeremy jerry jessica jiri joan joanna
joao johan johann johanna john johnny jonas jonathan jorge jose josef joseph juan judith julia julian julie jun jurgen
justin karen karin karl katarzyna kate katharina katherine kathleen kathryn katja keiko keith kelly kenji kenneth kevin
khalid klaus kumar kurt larry lars laura lea leila lena leon leonardo leonie leticia li lia liam lilly lily linda lisa
liu ljiljana lorenzo louis louise luca lucas lucia lucy luigi luis luisa luka lukas magdalena malik manuel marc marcel
marco marcus margaret maria mariam marie marina mario marjan marko marta martha martin martina mary mateo matthew matthias
maximilian mehmet mei mia michael michelle miguel mike milan mohamed mohammad mohammed monica monika muhammad mustafa nadia
nancy naomi natalia natalie natasha nathan niklas nicholas nicolas nicole nikita nikola nils nina noah nora oleg olga oliver
olivia omar oscar otto pablo pamela patricia patrick paul paula paulo pavel pedro peter petra philip philipp pierre piotr
priya rachel rafael rahul ralf raj rajesh ralph ramon raul rebecca renate ricardo richard rita robert roberto rodrigo
roger roland ronald rosa rosemary ruth ryan sabine said salma sam samantha samuel sandra sara sarah sasha satoshi scott
sean sebastian sergei sergio sharon shirley silvia simon simone sofia sonja sophia sophie stefan stefanie stephanie stephen
steve steven susan susanne suzuki svetlana sven takashi tanaka tanja tatiana teresa theodor theresa thomas tim timothy tina
tobias tom tomas tyler ursula uwe valentina vera veronica victor victoria viktor vincent vladimir walter wang wei werner
wilhelm william wolfgang yasmin yosef yuki yusuf zachary zhang zoe smith johnson williams jones brown garcia miller davis
rodriguez martinez hernandez lopez gonzalez wilson anderson taylor moore jackson lee nguyen singh khan muller schmidt
schneider fischer weber rossi ferrari silva santos novak ivanov kowalski
`

export const GIVEN_NAMES: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/))
