"""Plants a tree with everything that a file system knows: plant.py FOLDER.

Run as root on a file system with extended attributes and ACLs, such as ext4.
With a second argument the long form: more entries, a larger sparse file.
"""
import os, random, socket, stat, struct, subprocess, sys

os.umask(0)
root = os.fsencode(sys.argv[1])
full = len(sys.argv) > 2
rng = random.Random(42)
os.mkdir(root)
os.chdir(root)


def write(name, data=b"x", mode=0o644):
    with open(name, "wb") as f:
        f.write(data)
    os.chmod(name, mode)


# Names of all bytes, and those that are trouble elsewhere.
os.mkdir(b"names")
for b in range(1, 256):
    if bytes([b]) not in (b"/", b"."):
        write(b"names/" + bytes([b]), bytes([b]) * 3)
for name in [b"\xff\xfe not UTF-8 \xc3", b"a" * 255, b"\xe2\x80\xae" * 80, b"line\nend", b"--target", b" ", b"...",
             b"..x", b"e\xcc\x81", b"\xc3\xa9", b"nul", b"con.txt", b"*?[a]", b"$(touch x)", b"trailing. "]:
    write(b"names/" + name, name)

# Modes and owners.
os.mkdir(b"modes")
for mode in [0, 0o400, 0o444, 0o600, 0o755, 0o777, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777]:
    write(b"modes/f%05o" % mode, b"mode", mode)
for mode in [0, 0o555, 0o700, 0o755, 0o1777, 0o2775, 0o3777]:
    d = b"modes/d%05o" % mode
    os.mkdir(d)
    write(d + b"/in", b"in")
    os.chmod(d, mode)
for uid, gid in [(0, 1), (1, 0), (12345, 54321), (65534, 65534), (4294967294, 4294967293)]:
    name = b"modes/owner-%d-%d" % (uid, gid)
    write(name, b"owner")
    os.chown(name, uid, gid)
    os.chmod(name, 0o6755)  # chown takes setuid away, so it comes after
    os.symlink(b"owner", name + b".link")
    os.lchown(name + b".link", uid, gid)

# Links.
os.makedirs(b"links/deep/er")
write(b"links/one", b"three names")
os.link(b"links/one", b"links/deep/two")
os.link(b"links/one", b"links/deep/er/three")
write(b"links/large", rng.randbytes(2_000_000))
os.link(b"links/large", b"links/deep/large too")
write(b"links/alone", b"three names")
os.symlink(b"one", b"links/sym")
os.link(b"links/sym", b"links/sym too", follow_symlinks=False)
for i, target in enumerate([b"nowhere", b"/etc/passwd", b"../../..", b"self", b"\xff\xfe", b"a/" * 2000, b"one\nline"]):
    os.symlink(target, b"links/to%d" % i)
os.symlink(b"loop", b"links/loop")
os.symlink(b"../names", b"links/to a folder")

# What is not a file. The devices are those of /dev/null, of a loop device and
# of numbers that nobody has.
os.mkdir(b"special")
os.mkfifo(b"special/fifo", 0o640)
os.link(b"special/fifo", b"special/fifo too")
os.mknod(b"special/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
os.mknod(b"special/loop", 0o660 | stat.S_IFBLK, os.makedev(7, 0))
os.mknod(b"special/odd", 0o600 | stat.S_IFCHR, os.makedev(4000, 1_000_000))
s = socket.socket(socket.AF_UNIX)
s.bind(b"special/socket")
os.chmod(b"special/socket", 0o754)

# Extended attributes and ACLs.
os.mkdir(b"attrs")
write(b"attrs/file")
os.setxattr(b"attrs/file", b"user.comment", b"hello")
os.setxattr(b"attrs/file", b"user.empty", b"")
os.setxattr(b"attrs/file", b"user.bytes", bytes(range(256)) * 8)
os.setxattr(b"attrs/file", b"trusted.secret", b"for root")
os.setxattr(b"attrs", b"user.folder", b"of a folder")
os.symlink(b"file", b"attrs/link")
os.setxattr(b"attrs/link", b"trusted.link", b"of a link", follow_symlinks=False)
write(b"attrs/capable", b"#!", 0o755)
os.setxattr(b"attrs/capable", b"security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))
write(b"attrs/acl", b"acl", 0o640)
subprocess.run(["setfacl", "-m", "u:12345:rw,g:54321:r,m::rw", "attrs/acl"], check=True)
os.mkdir(b"attrs/default")
subprocess.run(["setfacl", "-m", "u:12345:rwx", "-d", "-m", "u:999:rx,o::-", "attrs/default"], check=True)
write(b"attrs/default/inherits")
os.mkdir(b"attrs/default/inherits too")

# Contents, and holes in them.
os.mkdir(b"content")
for size in [0, 1, 511, 4096, 65535, 262144, 262145, 3_000_000]:
    write(b"content/text%d" % size, (b"INSERT INTO t VALUES (%d);\n" % size * (size // 20 + 1))[:size])
    write(b"content/noise%d" % size, rng.randbytes(size))
write(b"content/zeros", bytes(1_000_000))


def sparse(name, size, *parts):
    with open(name, "wb") as f:
        f.truncate(size)
        for at, data in parts:
            f.seek(at)
            f.write(data)


giant = (16 if full else 1) << 30
sparse(b"content/giant", giant, (giant // 2, rng.randbytes(1 << 20)))
sparse(b"content/hole", 5_000_000)
sparse(b"content/hole first", 5_000_000, (4_999_999, b"end"))
sparse(b"content/hole last", 5_000_000, (0, b"front"))
sparse(b"content/comb", 64 << 20, *[(i << 20, rng.randbytes(5000)) for i in range(0, 64, 2)])

# Folders: none in it, many in it, and a path of more than 4096 bytes.
os.mkdir(b"empty")
os.makedirs(b"empties/a/b/c")
os.mkdir(b"many")
for i in range(20_000):
    write(b"many/P%06d" % i, b"%d" % i)
os.mkdir(b"long")
here = os.open(b"long", os.O_RDONLY)
for i in range(30):
    name = b"%02d" % i + b"n" * 198
    os.mkdir(name, 0o750, dir_fd=here)
    below = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = below
f = os.open(b"file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=here)
os.write(f, b"far down")
os.setxattr(f, b"user.far", b"down")
os.close(f)
os.link(b"file", b"again", src_dir_fd=here, dst_dir_fd=here)
os.symlink(b"file", b"link", dir_fd=here)
os.mkfifo(b"fifo", 0o600, dir_fd=here)
os.mkdir(b"empty", 0o711, dir_fd=here)
os.utime(b"empty", ns=(0, -1), dir_fd=here)
os.utime(b"file", ns=(0, 123456789_987654321), dir_fd=here)

# Times: before 1970, beyond 2038, to the nanosecond, of every kind of entry. The
# folders come last, as their content changes theirs.
os.mkdir(b"times")
for i, ns in enumerate([-1, -1_000_000_001, -2_000_000_000_123456789, 0, 1, 999_999_999, 2**31 * 10**9 + 7, 2**32 * 10**9 + 1, 1_700_000_000_123456789]):
    write(b"times/f%d" % i, b"time")
    os.utime(b"times/f%d" % i, ns=(1, ns))
    os.symlink(b"f", b"times/l%d" % i)
    os.utime(b"times/l%d" % i, ns=(1, ns), follow_symlinks=False)
    os.mkdir(b"times/d%d" % i)
    write(b"times/d%d/in" % i)
    os.utime(b"times/d%d" % i, ns=(1, ns))
for i, d in enumerate([b"special", b"links", b"many", b"empty", b"modes/d00555", b"times", b"."]):
    os.utime(d, ns=(1, (i - 3) * 10**17 + i))
os.utime(b"special/fifo", ns=(1, 77))
os.utime(b"special/null", ns=(1, -77))
