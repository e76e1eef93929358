"""Lists all that a file system knows of a tree, without any of our code:
list.py FOLDER. One line of JSON an entry, in the order of paths.
"""
import hashlib, json, os, stat, sys

inodes = {}


def text(b):
    return b.decode("latin-1")


def extents(fd, size):
    """The parts of a file that are not all zeros, on a grid of 4 KiB, as a hash,
    and the whole file's hash where that does not take long."""
    parts, at = hashlib.sha256(), 0
    whole = hashlib.sha256() if size <= 1 << 27 else None
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            start = size
        if whole:
            whole.update(bytes(start - at))
        end = os.lseek(fd, start, os.SEEK_HOLE) if start < size else size
        at = start
        while at < end:
            # Pieces end on the grid, wherever the file system has its extents.
            block = os.pread(fd, min(end - at, 4096 - at % 4096), at)
            if whole:
                whole.update(block)
            if block.strip(b"\0"):
                first = len(block) - len(block.lstrip(b"\0"))
                parts.update(b"%d:" % (at + first) + block.strip(b"\0"))
            at += len(block)
    return parts.hexdigest(), whole and whole.hexdigest()


def describe(path, name, dirfd):
    st = os.stat(name, dir_fd=dirfd, follow_symlinks=False)
    entry = {
        "path": text(path), "type": stat.S_IFMT(st.st_mode), "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid, "gid": st.st_gid,
        "mtime": st.st_mtime_ns, "links": st.st_nlink,
    }
    proc = b"/proc/self/fd/%d/%s" % (dirfd, name)
    entry["xattrs"] = {x: text(os.getxattr(proc, x, follow_symlinks=False)) for x in sorted(os.listxattr(proc, follow_symlinks=False))}
    if not stat.S_ISDIR(st.st_mode):
        entry["first"] = text(inodes.setdefault((st.st_dev, st.st_ino), path))
        entry["rdev"] = st.st_rdev
    if stat.S_ISREG(st.st_mode):
        entry["size"] = st.st_size
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=dirfd)
        entry["data"], entry["sha256"] = extents(fd, st.st_size)
        entry["blocks"] = os.fstat(fd).st_blocks
        os.close(fd)
    if stat.S_ISLNK(st.st_mode):
        entry["target"] = text(os.readlink(name, dir_fd=dirfd))
    print(json.dumps(entry, sort_keys=True))
    return stat.S_ISDIR(st.st_mode)


def walk(path, dirfd):
    for name in sorted(os.fsencode(n) for n in os.listdir(dirfd)):
        below = path + b"/" + name
        if describe(below, name, dirfd):
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=dirfd)
            walk(below, fd)
            os.close(fd)


sys.setrecursionlimit(10_000)
root = os.open(sys.argv[1], os.O_RDONLY)
describe(b"", b".", root)
walk(b"", root)
