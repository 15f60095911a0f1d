"""What a trading company's things are called: words that names, categories and places are put together from."""

#: Category -> what it holds: kinds of things.
GOODS: dict[str, tuple[str, ...]] = {
    "Fasteners": ("Hex bolt", "Machine screw", "Lock nut", "Washer", "Threaded rod", "Rivet", "Wall plug", "Anchor"),
    "Hand tools": ("Hammer", "Screwdriver", "Combination pliers", "Spanner", "Chisel", "Hacksaw", "Spirit level"),
    "Power tools": ("Cordless drill", "Angle grinder", "Jigsaw", "Sander", "Heat gun", "Impact driver"),
    "Electrical": ("Cable", "Circuit breaker", "Socket outlet", "Junction box", "Relay", "Contactor", "Terminal block"),
    "Lighting": ("LED panel", "Floodlight", "Lamp", "Dimmer", "Emergency light", "Ballast"),
    "Plumbing": ("Ball valve", "Pipe elbow", "Hose clamp", "Siphon", "Tap", "Pressure reducer", "Copper pipe"),
    "Bearings and drives": ("Ball bearing", "V-belt", "Chain", "Sprocket", "Coupling", "Linear guide", "Gear wheel"),
    "Hydraulics": ("Cylinder", "Hydraulic hose", "Pump", "Manifold", "Filter element", "Seal kit"),
    "Safety": ("Safety shoe", "Glove", "Helmet", "Ear muff", "Safety goggles", "Respirator", "High-visibility vest"),
    "Paint and chemicals": ("Varnish", "Primer", "Thinner", "Epoxy resin", "Degreaser", "Silicone sealant", "Grease"),
    "Packaging": ("Folding box", "Stretch film", "Adhesive tape", "Pallet", "Bubble wrap", "Shipping label"),
    "Kitchen and canteen": ("Coffee", "Crème fraîche", "Mineral water", "Jalapeño sauce", "Biscuit", "Paper cup"),
}
GRADES = ("Basic", "Standard", "Heavy duty", "Professional", "Marine", "Food grade")
MATERIALS = ("steel", "stainless A2", "stainless A4", "brass", "zinc plated", "nylon", "copper", "aluminium", "rubber", "PVC", "oak", "glass fibre")  # fmt: skip
SIZES = ("M3", "M4", "M5", "M6", "M8", "M10", "M12", "M16", "2 mm", "5 mm", "12 mm", "25 mm", "40 mm", "100 mm", "1 m", "5 m", "1/2 in", "3/4 in", "DN 25", "DN 50", "XL", "500 ml", "5 l")  # fmt: skip
MAKERS = ("Ålesund", "Bodén", "Carrow", "Dunmore", "Eklund", "Fennel", "Göpfert", "Halden", "Ibarra", "Jensen", "Kestrel", "Lindqvist", "Márquez", "Norrland", "Okapi", "Přerov", "Quayle", "Rossi", "Søborg", "Tallis", "Ullmann", "Voss", "Wexford", "Yarrow", "Zürn")  # fmt: skip
TRADES = ("Supply", "Industries", "Trading", "Werke", "Tools", "Components", "Logistics", "Chemie", "& Sons", "Group")
SITES = ("Hamburg", "Kraków", "Lyon", "Porto")
ZONES = ("Goods in", "High bay", "Shelving", "Cold store", "Workshop", "Dispatch")
