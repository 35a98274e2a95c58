"""What the demo store sells: eight categories, about 120 products, what is used up and what goes together."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop.

    ``log_hazard``: effect of a first purchase here on the pace of buying again. ``refill_share``: the
    chance that somebody who bought a consumable here will want it again when it is used up.
    ``return_share``: of orders led by it. ``months``: how demand moves from January to December.
    """

    name: str
    share: float
    log_hazard: float
    refill_share: float
    return_share: float
    is_reduced_tax: bool
    vendor: str
    months: tuple[float, ...]


_FLAT = (1.0,) * 12
_COSY = (1.1, 1.0, 0.9, 0.8, 0.7, 0.65, 0.65, 0.7, 0.95, 1.15, 1.4, 1.6)
_SUMMER = (0.8, 0.85, 1.0, 1.15, 1.25, 1.2, 1.15, 1.1, 1.0, 0.9, 0.85, 0.95)

CATEGORIES = (
    Category("Coffee & Tea", 0.20, 0.30, 0.42, 0.012, True, "Kaffeerösterei Elbgold", _FLAT),
    Category("Kitchen", 0.17, 0.0, 0.22, 0.045, False, "Nordkant", _FLAT),
    Category("Candles & Scents", 0.14, 0.12, 0.26, 0.025, False, "Lumen & Wachs", _COSY),
    Category("Bath & Body", 0.15, 0.22, 0.34, 0.022, False, "Seifenhaus Nord", _FLAT),
    Category("Textiles", 0.12, -0.18, 0.0, 0.095, False, "Webwerk", _COSY),
    Category("Lighting", 0.07, -0.35, 0.0, 0.070, False, "Lichtkontor", _COSY),
    Category("Cleaning & Care", 0.09, 0.18, 0.32, 0.015, False, "Seifenhaus Nord", _FLAT),
    Category("Plants & Pots", 0.06, -0.05, 0.18, 0.040, False, "Topf & Trieb", _SUMMER),
)

# handle | name | listed price in cents | weight | quality 0..1 | days until it is used up (0: it is not)
_PRODUCTS = """
# Coffee & Tea
coffee-harbour-espresso|Harbour Espresso, 500 g|1490|12|.86|32
coffee-harbour-espresso-1kg|Harbour Espresso, 1 kg|2690|9|.87|58
coffee-morning-filter|Morning Filter Coffee, 500 g|1390|9|.82|33
coffee-ethiopia|Ethiopia Yirgacheffe, 250 g|1190|5|.90|21
coffee-colombia|Colombia Huila, 250 g|1090|5|.86|21
coffee-decaf|Quiet Evening Decaf, 500 g|1550|4|.78|38
coffee-cold-brew|Cold Brew Bags, set of 8|1290|3|.74|26
tea-east-frisian|East Frisian Tea, 250 g|890|5|.88|52
tea-rooibos|Rooibos Vanilla, 200 g|790|3|.80|55
tea-mint|Fresh Mint Tea, 100 g|690|3|.83|48
tea-chai|Chai Spice, 200 g|950|3|.81|50
coffee-filters|Paper Filters No. 4, 200 pieces|590|7|.84|85
coffee-grinder-hand|Hand Grinder "Mühle"|5900|2|.72|0
coffee-dripper|Porcelain Dripper|2490|3|.88|0
coffee-moka|Moka Pot, 6 cups|3490|2|.79|0
coffee-tin|Airtight Coffee Tin|1890|3|.85|0
# Kitchen
kitchen-chef-knife|Chef's Knife, 20 cm|7900|3|.90|0
kitchen-board-oak|Oak Chopping Board|4490|4|.84|0
kitchen-bowl-set|Stoneware Bowls, set of 4|4990|5|.82|0
kitchen-plate-set|Stoneware Plates, set of 4|5490|4|.81|0
kitchen-mug-dune|Mug "Dune"|1690|9|.86|0
kitchen-mug-tide|Mug "Tide"|1690|7|.84|0
kitchen-carafe|Glass Carafe, 1 l|2990|4|.70|0
kitchen-glasses|Tumblers, set of 6|2790|4|.68|0
kitchen-pan|Cast-iron Pan, 26 cm|6490|3|.88|0
kitchen-salt-mill|Salt Mill, beech|3290|2|.76|0
kitchen-apron|Linen Apron|3490|2|.83|0
kitchen-storage-jars|Storage Jars, set of 3|2690|4|.80|0
kitchen-water-filter|Water Filter Jug|3490|4|.77|0
kitchen-water-cartridge|Water Filter Cartridges, 3 pieces|1990|8|.82|92
kitchen-baking-paper|Compostable Baking Sheets, 60 pieces|890|5|.79|75
kitchen-beeswax-wraps|Beeswax Wraps, set of 3|1790|4|.75|0
# Candles & Scents
candle-harbour-fog|Scented Candle "Harbour Fog"|2490|9|.88|44
candle-fig|Scented Candle "Fig & Cedar"|2490|8|.87|44
candle-linen|Scented Candle "Clean Linen"|2290|6|.80|44
candle-orange|Scented Candle "Orange Clove"|2490|5|.82|44
candle-pillar-set|Pillar Candles, set of 4|1690|7|.78|36
candle-dinner|Dinner Candles, set of 10|1290|7|.81|40
candle-tealights|Tealights, 50 pieces|990|8|.80|30
diffuser-sea|Reed Diffuser "Open Sea"|2990|4|.73|0
diffuser-refill|Diffuser Refill, 200 ml|1690|4|.80|78
candle-holder-brass|Brass Candle Holder|2890|3|.83|0
candle-lantern|Storm Lantern|4490|3|.79|0
candle-wick-trimmer|Wick Trimmer|1590|2|.84|0
candle-matches|Long Matches in a Jar|1190|4|.86|0
candle-incense|Incense "Pine Forest", 40 sticks|890|3|.76|45
# Bath & Body
soap-olive|Olive Soap Bar|690|9|.88|28
soap-sea-salt|Sea Salt Soap Bar|690|8|.86|28
soap-hand-wash|Hand Wash "Thyme", 500 ml|1490|8|.87|48
soap-hand-refill|Hand Wash Refill, 1 l|1990|8|.88|90
body-lotion|Body Lotion "Oat", 250 ml|1890|6|.83|52
body-oil|Body Oil "Marigold", 100 ml|2290|3|.80|60
shampoo-bar|Shampoo Bar "Nettle"|1190|7|.70|46
conditioner-bar|Conditioner Bar|1290|4|.68|50
bath-salts|Bath Salts "Lavender", 600 g|1590|5|.85|55
toothpaste-tabs|Toothpaste Tablets, 125 pieces|890|5|.66|55
bamboo-brush|Bamboo Toothbrushes, set of 4|990|5|.78|95
razor-safety|Safety Razor|3490|2|.84|0
razor-blades|Razor Blades, 20 pieces|690|4|.82|95
soap-dish|Soap Dish, ceramic|1290|4|.83|0
sisal-brush|Sisal Body Brush|1690|2|.79|0
# Textiles
textile-towel-set|Bath Towels, set of 2|4990|6|.84|0
textile-hand-towel|Waffle Hand Towel|1690|6|.82|0
textile-bed-linen|Linen Bed Set, 135 × 200|12900|3|.80|0
textile-bed-linen-double|Linen Bed Set, 200 × 200|17900|2|.79|0
textile-throw-wool|Wool Throw "Dune"|8900|4|.88|0
textile-throw-cotton|Cotton Throw|4990|4|.76|0
textile-cushion|Cushion Cover, linen|2490|7|.72|0
textile-cushion-fill|Cushion Filling, 50 × 50|1290|4|.75|0
textile-tablecloth|Tablecloth, 140 × 240|5990|3|.81|0
textile-napkins|Linen Napkins, set of 4|2990|4|.84|0
textile-tea-towels|Tea Towels, set of 3|1990|7|.86|0
textile-bathrobe|Waffle Bathrobe|7490|3|.66|0
textile-slippers|Felt Slippers|3990|4|.64|0
textile-rug-small|Jute Rug, 60 × 90|4490|2|.70|0
textile-rug-large|Jute Rug, 120 × 180|11900|1|.71|0
# Lighting
light-table-mushroom|Table Lamp "Pilz"|8900|4|.82|0
light-table-globe|Table Lamp "Mond"|7900|3|.78|0
light-pendant-paper|Paper Pendant, 45 cm|4900|4|.74|0
light-pendant-glass|Glass Pendant "Bucht"|11900|2|.80|0
light-floor-arc|Floor Lamp "Bogen"|18900|1|.72|0
light-wall|Wall Lamp "Kajüte"|6900|2|.81|0
light-string|String Lights, 10 m|2490|6|.68|0
light-bulb-warm|LED Bulbs, warm, set of 3|1690|6|.83|0
light-night|Night Light "Leuchtturm"|2990|4|.85|0
light-clip|Clip Reading Light|2290|3|.70|0
light-dimmer|Cord Dimmer|1990|2|.66|0
light-shade-linen|Linen Lamp Shade|3490|2|.77|0
light-outdoor|Solar Garden Light|2990|3|.58|0
# Cleaning & Care
clean-dish-soap|Dish Soap "Lemon", 500 ml|590|8|.86|34
clean-dish-refill|Dish Soap Refill, 3 l|1790|6|.88|105
clean-all-purpose|All-purpose Cleaner Tabs, 6 pieces|1190|7|.80|60
clean-laundry|Laundry Powder, 1.5 kg|1490|8|.84|42
clean-laundry-sheets|Laundry Sheets, 64 pieces|1590|5|.72|50
clean-stain|Gall Soap, stain remover|490|4|.88|90
clean-wood-oil|Wood Care Oil, 250 ml|1690|3|.86|0
clean-leather|Leather Balm, 150 ml|1490|2|.83|0
clean-dish-brush|Dish Brush, beech|890|5|.80|70
clean-brush-heads|Replacement Brush Heads, 3 pieces|790|5|.82|95
clean-sponges|Loofah Sponges, set of 5|990|5|.71|45
clean-cloths|Cleaning Cloths, set of 5|1290|5|.83|0
clean-broom|Horsehair Broom|3990|1|.87|0
clean-spray-bottle|Glass Spray Bottle|1290|4|.76|0
# Plants & Pots
plant-pot-terra-s|Terracotta Pot, small|1290|7|.82|0
plant-pot-terra-l|Terracotta Pot, large|2990|4|.79|0
plant-pot-glazed|Glazed Pot "Riff"|3490|4|.77|0
plant-hanging|Hanging Planter, macramé|2490|4|.73|0
plant-watering-can|Watering Can, 1.5 l|3290|4|.85|0
plant-mister|Plant Mister, brass|2190|3|.74|0
plant-soil|Peat-free Soil, 10 l|990|6|.80|70
plant-feed|Liquid Plant Feed, 500 ml|1190|6|.84|62
plant-herb-kit|Herb Growing Kit|2490|5|.62|0
plant-seeds|Wildflower Seeds|590|6|.78|0
plant-secateurs|Secateurs|3990|2|.88|0
plant-vase-tall|Tall Vase "Schilf"|4490|3|.83|0
plant-vase-bud|Bud Vases, set of 3|2690|4|.85|0
plant-dried|Dried Flower Bunch|2990|4|.69|0
"""

# What is bought together, and what is wanted next: the first calls for the second.
PAIRS = (
    ("coffee-dripper", "coffee-filters"),
    ("coffee-morning-filter", "coffee-filters"),
    ("coffee-harbour-espresso", "kitchen-mug-dune"),
    ("kitchen-water-filter", "kitchen-water-cartridge"),
    ("candle-harbour-fog", "candle-wick-trimmer"),
    ("candle-dinner", "candle-holder-brass"),
    ("candle-fig", "candle-matches"),
    ("diffuser-sea", "diffuser-refill"),
    ("soap-olive", "soap-dish"),
    ("soap-hand-wash", "soap-hand-refill"),
    ("shampoo-bar", "conditioner-bar"),
    ("razor-safety", "razor-blades"),
    ("textile-cushion", "textile-cushion-fill"),
    ("textile-towel-set", "textile-hand-towel"),
    ("light-table-mushroom", "light-bulb-warm"),
    ("light-pendant-paper", "light-bulb-warm"),
    ("clean-dish-soap", "clean-dish-brush"),
    ("clean-dish-brush", "clean-brush-heads"),
    ("clean-all-purpose", "clean-spray-bottle"),
    ("plant-pot-terra-s", "plant-soil"),
    ("plant-pot-terra-l", "plant-soil"),
    ("plant-herb-kit", "plant-feed"),
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The products as columns; a product is known by its position, its key is one more."""

    handle: tuple[str, ...]
    name: tuple[str, ...]
    category: NDArray[Any]
    price: NDArray[Any]
    cost: NDArray[Any]
    has_cost: NDArray[Any]
    weight: NDArray[Any]
    quality: NDArray[Any]
    used_up: NDArray[Any]
    partner: NDArray[Any]
    is_reduced_tax: NDArray[Any]

    def __len__(self) -> int:
        return len(self.handle)

    def number(self, handle: str) -> int:
        """The position of a product."""
        return self.handle.index(handle)


@cache
def catalogue() -> Catalogue:
    """Read the table above; costs are 38 to 58 % of the price without tax, and not everybody told us theirs."""
    rows: list[tuple[str, str, int, int, float, float, int]] = []
    names = [c.name for c in CATEGORIES]
    shelf = -1
    for line in _PRODUCTS.strip().splitlines():
        if line.startswith("# "):
            shelf = names.index(line[2:])
            continue
        handle, name, listed, weight, quality, days = line.split("|")
        rows.append((handle, name, shelf, int(listed), float(weight), float(quality), int(days)))
    handles = tuple(r[0] for r in rows)
    category = np.array([r[2] for r in rows])
    price = np.array([r[3] for r in rows])
    rng = np.random.default_rng(20)
    reduced = np.array([c.is_reduced_tax for c in CATEGORIES])[category]
    # Only food is taxed less; pots, grinders and filters of that shelf are not.
    reduced &= np.array([r[6] > 0 and not r[0].startswith("coffee-filters") for r in rows])
    net = price / np.where(reduced, 1.07, 1.19)
    cost = np.rint(net * rng.uniform(0.38, 0.58, len(rows))).astype(np.int64)
    partner = np.full(len(rows), -1)
    for first, second in PAIRS:
        partner[handles.index(first)] = handles.index(second)
    unknown = {
        "textile-throw-wool",
        "plant-dried",
        "kitchen-mug-tide",
        "soap-sea-salt",
        "light-night",
        "coffee-colombia",
    }
    return Catalogue(
        handle=handles,
        name=tuple(r[1] for r in rows),
        category=category,
        price=price,
        cost=cost,
        has_cost=np.array([h not in unknown for h in handles]),
        weight=np.array([r[4] for r in rows]),
        quality=np.array([r[5] for r in rows]),
        used_up=np.array([r[6] for r in rows]),
        partner=partner,
        is_reduced_tax=reduced,
    )
