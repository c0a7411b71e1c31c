"""The 80 class names of COCO, in order of id: English are COCO's own, Spanish are ours."""

_EN = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange,
broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv,
laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase,
scissors, teddy bear, hair drier, toothbrush
"""
_ES = """
persona, bicicleta, coche, motocicleta, avión, autobús, tren, camión, barco, semáforo, boca de incendios, señal
de stop, parquímetro, banco, pájaro, gato, perro, caballo, oveja, vaca, elefante, oso, cebra, jirafa, mochila,
paraguas, bolso, corbata, maleta, frisbee, esquís, tabla de snowboard, pelota, cometa, bate de béisbol, guante
de béisbol, monopatín, tabla de surf, raqueta de tenis, botella, copa de vino, taza, tenedor, cuchillo, cuchara,
cuenco, plátano, manzana, sándwich, naranja, brócoli, zanahoria, perrito caliente, pizza, dónut, tarta, silla,
sofá, planta en maceta, cama, mesa de comedor, inodoro, televisor, portátil, ratón, mando a distancia, teclado,
teléfono móvil, microondas, horno, tostadora, fregadero, nevera, libro, reloj, jarrón, tijeras, oso de peluche,
secador de pelo, cepillo de dientes
"""
NAMES = {
    language: [name.strip() for name in text.replace("\n", " ").split(",")]
    for language, text in (("en", _EN), ("es", _ES))
}
