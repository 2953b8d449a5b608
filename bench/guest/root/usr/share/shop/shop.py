"""A web shop's back end: catalogue and sessions in Redis, orders in SQLite,
recommendations in its own heap.

It fills them until the machine's memory is used as a server's would be, then
serves visitors for good: reads records, verifies their checksums, changes them
and writes them back. With SHOP_REST in the environment it serves none after so
many seconds.
"""

import base64
import glob
import itertools
import json
import os
import random
import re
import socket
import sqlite3
import struct
import time
import zlib

KEEP_FREE = 0.70  # of the memory that is available at the start
VISITS_PER_SECOND = 150
REST = float(os.environ.get("SHOP_REST", "inf"))  # seconds of service

rng = random.Random(20240229)

FIRST = ("Anna Ben Chiara David Elif Farid Greta Hugo Ines Jan Karin Liam Mona "
         "Nadia Omar Paula Quentin Rosa Samir Tove Ulrich Vera Wanda Yusuf Zoe").split()
LAST = ("Almeida Berg Costa Dupont Eriksen Fischer Garcia Hansen Ivanova Jansen "
        "Kowalski Lindqvist Moreau Novak Okafor Petrov Quinn Rossi Schmidt Tanaka "
        "Ueda Virtanen Weber Yilmaz Zhang").split()
STREET = "Mill Station Church Harbour Garden School Market Bridge Castle Park".split()
CITY = ("Lisbon Oslo Turin Lyon Aarhus Mainz Seville Bergen Sofia Utrecht Gdansk "
        "Malmo Nantes Brno Lagos Plovdiv Galway Parma Kiel Sendai").split()
STATUS = "new paid packed shipped delivered returned".split()
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
)


def numbers(count):
    """Random numbers below 65536. All at once, because this runs on an emulated
    CPU: the random module's other functions would take most of the time."""
    return struct.unpack("%dH" % count, rng.randbytes(2 * count))


def one(choices):
    return choices[int(rng.random() * len(choices))]


def phrases():
    """65536 pieces of English of about 100 letters. The words are from the
    documentation in Python's library; each piece is put together from three
    places, so that there are enough."""
    found = set()
    for path in sorted(glob.glob("/usr/lib/python3.*/pydoc_data/topics.py")
                       + glob.glob("/usr/lib/python3.*/*.py")):
        text = open(path, encoding="utf-8").read()
        found.update(re.findall(r"\b[a-z]+ [a-z]+ [a-z ]{12,50}\b", text))
    parts = sorted(found)
    rng.shuffle(parts)
    threes = (three for step in itertools.count(1)
              for three in zip(parts, parts[step:], parts[7 * step:]))
    return [" ".join(three) for three in itertools.islice(threes, 65536)]


PHRASES = phrases()
ADDRESSES = ["%d %s Street, %s" % address for address in itertools.product(range(1, 181), STREET, CITY)]


def prose(count):
    return " ".join(map(PHRASES.__getitem__, numbers(count)))


def token(size):
    return base64.urlsafe_b64encode(rng.randbytes(size)).decode()


def seal(text):
    """Puts the checksum of a record, which is JSON text, in front of it."""
    return '{"crc": "%08x", %s' % (zlib.crc32(text.encode()), text[1:])


def unseal(sealed):
    """Returns the record, or None if its checksum is wrong."""
    if not sealed or not sealed.startswith(b'{"crc": "'):
        return None
    text = b"{" + sealed[len('{"crc": "01234567", '):]
    if sealed[9:17] != b"%08x" % zlib.crc32(text):
        return None
    return json.loads(text)


def review(reviewer, stars):
    return '{"user": "%s", "stars": %d, "text": "%s"}' % (FIRST[reviewer % 25], 1 + stars % 5, prose(1))


def product(number):
    price, stock, words, reviews, reviewer = numbers(5)
    return ('{"id": %d, "sku": "%s-%05d", "title": "%s", "price": {"amount": %d, "currency": "EUR"}, '
            '"stock": %d, "updated": %.3f, "description": "%s", "reviews": [%s]}' % (
                number, STREET[reviewer % 10].upper(), number, prose(1), 199 + price,
                stock % 400, time.time(), prose(1 + words % 3),
                ", ".join([review(reviewer + i, stock // 3 + i) for i in range(reviews % 4)])))


def session(customer):
    agent, subnet, host = numbers(3)
    return ('{"customer": %d, "csrf": "%s", "agent": "%s", "address": "10.%d.%d.%d", "seen": %.3f, "cart": []}' % (
        customer, token(24), AGENT[agent % 3], subnet >> 8, subnet & 255, host & 255, time.time()))


def customer(number):
    first, last, home, phone, area = numbers(5)
    first, last = FIRST[first % 25], LAST[last % 25]
    return (
        "name", first + " " + last,
        "mail", "%s.%s%d@mail.example" % (first.lower(), last.lower(), number),
        "address", ADDRESSES[home % len(ADDRESSES)],
        "phone", "+%d %d%05d" % (30 + area % 20, 100 + area % 900, phone),
        "password", token(32),
    )


class Interest:
    """What visitors like of a product, and what they may like beside it."""

    def __init__(self, number):
        picks = numbers(24)
        self.number = number
        self.views = picks[0] % 500
        self.score = picks[1] / 65536
        self.related = {number * pick >> 16: 1 / (1 + pick % 97) for pick in picks[2:14]}
        self.seen = [(number * pick >> 16, pick % 60) for pick in picks[12:]]

    def visited(self, visitor, seconds):
        self.views += 1
        self.score += (1 - self.score) / 64
        self.seen = (self.seen + [(visitor, seconds)])[-12:]

    def liked(self, number):
        self.related[number] = self.related.get(number, 0.0) + 1 / self.views
        if len(self.related) > 16:
            del self.related[min(self.related, key=self.related.get)]


class Redis:
    """The few parts of the Redis protocol that the shop needs."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.input = self.socket.makefile("rb")

    def reply(self):
        line = self.input.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.input.read(int(rest) + 2)[:-2]
        if kind in (b"+", b":"):
            return rest
        raise RuntimeError("Redis answered %r" % line)

    def pipeline(self, commands):
        out = []
        for command in commands:
            out.append("*%d\r\n" % len(command))
            out += ["$%d\r\n%s\r\n" % (len(word), word) for word in command]  # ASCII: a byte a letter
        self.socket.sendall("".join(out).encode("ascii"))
        return [self.reply() for _ in commands]


class Shop:
    def __init__(self):
        self.redis = Redis("/run/redis.sock")
        self.db = sqlite3.connect("/var/lib/shop/orders.db", isolation_level=None)
        self.db.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, created REAL,
                status TEXT, address TEXT, note TEXT);
            CREATE TABLE lines (orders INTEGER, product INTEGER, quantity INTEGER, price INTEGER);
            CREATE INDEX orders_customer ON orders (customer);
            CREATE INDEX lines_orders ON lines (orders);
        """)
        self.interests = []  # by product
        self.log = open("/var/log/shop-access.log", "a", buffering=8192)
        self.size = 0  # products, and as many customers with a session each
        self.orders = 0
        self.done = self.bad = 0

    def add_catalogue(self, count):
        items, prices, commands = ["MSET"], ["ZADD", "products:by-price"], []
        for number in range(self.size, self.size + count):
            item = product(number)
            items += ("product:%d" % number, seal(item), "session:%d" % number, seal(session(number)))
            prices += (item.split('"amount": ')[1].split(",")[0], str(number))
            commands.append(("HSET", "customer:%d" % number) + customer(number))
            self.interests.append(Interest(number))
        self.size += count
        self.redis.pipeline(commands + [items, prices])

    def add_orders(self, count):
        orders, lines = [], []
        for number in range(self.orders, self.orders + count):
            status, home, phrase, size = numbers(4)
            orders.append((number, int(rng.random() * self.size), time.time(), STATUS[status % 6],
                           ADDRESSES[home % len(ADDRESSES)], PHRASES[phrase]))
            lines += [(number, int(rng.random() * self.size), 1 + home % 5, phrase + i) for i in range(1 + size % 3)]
        self.orders += count
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", orders)
        self.db.executemany("INSERT INTO lines VALUES (?, ?, ?, ?)", lines)
        self.db.execute("COMMIT")

    def read(self, key):
        record = unseal(self.redis.pipeline([("GET", key)])[0])
        if record is None:
            self.bad += 1
        return record

    def visit(self):
        """One request: a look at a product, most often a popular one."""
        number = int(self.size * rng.random() ** 3)
        visitor = int(self.size * rng.random() ** 2)
        item, guest = self.read("product:%d" % number), self.read("session:%d" % visitor)
        if item is None or guest is None:
            return
        guest["seen"] = round(time.time(), 3)
        guest["cart"] = (guest["cart"] + [{"product": number, "title": item["title"]}])[-6:]
        commands = [("SET", "session:%d" % visitor, seal(json.dumps(guest)))]
        interest = self.interests[number]
        interest.visited(visitor, time.time() % 60)
        for other in guest["cart"][:-1]:
            interest.liked(other["product"])
        if rng.random() < 0.25:  # bought
            item["stock"] -= 1
            item["updated"] = round(time.time(), 3)
            if rng.random() < 0.3:
                item["reviews"] = (item["reviews"] + [json.loads(review(*numbers(2)))])[-6:]
            commands.append(("SET", "product:%d" % number, seal(json.dumps(item))))
            self.db.execute("UPDATE orders SET status = ? WHERE id = ?",
                            (one(STATUS), int(rng.random() * self.orders)))
            self.add_orders(1)
        self.redis.pipeline(commands)
        self.log.write('%s - - [%s] "GET /product/%d HTTP/1.1" 200 %d "%s"\n' % (
            guest["address"], time.strftime("%d/%b/%Y:%H:%M:%S +0000"), number, len(item["description"]),
            guest["agent"]))
        if self.log.tell() > 4 << 20:
            self.log.truncate(0)  # the log is in memory, too
        self.done += len(commands)


def memory(field):
    """A field of /proc/meminfo, in KiB."""
    for line in open("/proc/meminfo"):
        name, value = line.split()[:2]
        if name == field + ":":
            return int(value)


def main():
    started = time.monotonic()
    shop = Shop()
    goal = memory("MemAvailable") * KEEP_FREE
    print("step filling Redis, SQLite and the heap with %d MiB" % ((memory("MemAvailable") - goal) // 1024), flush=True)
    for batch in itertools.count(1):
        if memory("MemAvailable") <= goal:
            break
        shop.add_catalogue(200)
        shop.add_orders(200)
        if batch % 50 == 0:
            print("step %d products, %d orders" % (shop.size, shop.orders), flush=True)
    print("ready redis-server with %d products and as many customers and sessions, SQLite with %d orders, "
          "filled in %.0f s; python3 serves %d visits a second" % (
              shop.size, shop.orders, time.monotonic() - started, VISITS_PER_SECOND), flush=True)
    for second in itertools.count(1):
        end = time.monotonic() + 1
        for _ in range(VISITS_PER_SECOND if second <= REST else 0):
            shop.visit()
            if time.monotonic() > end:
                break  # a slow machine serves fewer
        time.sleep(max(0, end - time.monotonic()))
        print("tick %d ops %d bad %d" % (second, shop.done, shop.bad), flush=True)


main()
