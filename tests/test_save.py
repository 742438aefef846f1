"""`minigrad.save` and `minigrad.load`: PyTorch's files, and files that mean harm."""

from __future__ import annotations

import base64
import enum
import io
import os
import pickle
import pickletools
import stat
import struct
import sys
import types
import zipfile
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.serialization import archive

# A plain pickle by PyTorch 2.13 of the values in `test_plain_pickles_of_pytorch`, compressed.
PICKLED_BY_PYTORCH = (
    "c-rlkO>g5w7{_fVO+(x5zG*>hVZ||Aq9kq8^wes1wR<oW*yWH*HJZee%<MXz*dDiAq)OqiONvI~z;FO@;K-5pm+!EA5G1|;0tp^_^5*nKIg%Ato!"
    "Za*J+^;-=0DH$vY%D18p*b=3UWp8ph=4;63h*iyoLhOh?wgjLA;O$=%AuL1=%Gn3*jGb6D6-8mtzOD0^UK5BSAt?-M(%bM$h_q$^HAwdw;(1=<9c"
    "1E%vOpf6u`0v2PUWSKyxAfD7K_E;=AV$hha5AgEu07MBU(5=1<QVb8bv^(6?3qb@-q`+$Ug=Ge~`>I)DIDG!9dU|aPJoH0-MIXhd=#(i+F?JwHdD"
    "1v(y>Wi^hKeBH$lUG=}2M;bD>fn-Z)>lEZy-_Z2Zf#a;<?W4H&DZ@lyOE!<b9=(iz6ZVS`^H&X6Bl#F<ks7PpI!Kay$AbOyXvWWplrj=*w!;;n|9"
    "`zI+4r3z$Hxq2mt%?JAp$2;@o9T0VLmipafh)GX<LapXx<aP1~BFN>_*E%!y3y;sAGuAOVm~kly)cj(Kivm#fuMbtA>oJe%i83p~vc%iU2%nom`{"
    "kGbiik2Jy8PZLCkOi&aGEJ$n%IzcmYouJjNQl+}JwUGvDoe6ZT1)x?cIeR-psMa*pesXlIWY*)rO`2U5#_^%44y;zm8zbO}uO<+*|I&<HNW@C!-q"
    "-3l`U0>o!FXS<%*KA8ot^!$qU+M4O!L;+x-<{O?(k06B~LDNfl|3vnbiffHsu1^QO|UOI8~e6d!+hfZu9M#wHnMU)zVC~hT17wQ>6OixhBE$*MA<"
    "*ZO+|ua;XHvYStNLpq-#&o;#h)3!00@S+%rY*{-J880WDWXo1ZzZ-!`$xITdj(44GN<STjt@VsJ&JCRGmqRTvjVJgVIr4OJM{1C=tLFPq(na8}g>"
    "dWQvgd8S~xkJL*R4BUkg3QRJ?agv+W7b(A(WYjFxKx}lx1>b0((wDEQb%SR42MH_^K5jQ#(JeT!%!Y;Q$}a(oI9Gw#3GqTji}Yq`6t(q$34`IX@p"
    "SAh+!KFiBO*?c^x%y^YI}Lpppy-qMSbl+;L~}^0;X-{4!!8YDKP_ZdQA86}5P9N`EsQ)n#gYU3;i_ZAyXNLwppXCWcj*GtgWcX{I0Z*6Efr?r~LD"
    "#>jzHT<Y>0lMT~--_%R#3lwXo6+BGeA&&+Q5`T|n=AjnBA`0N#w&V(r#6-Z18uGGs9^MtKQw-aVl9`A1?@ri_Ls~d;h4vTA4b=UeUq6qxFJ!*MJM"
    "fjG4#fU=9&f+NmmJ*blEj~EL#}8)LJn!-qd1WF2xLaU4`Ah+@8Bn_1LFaX7Xd55P}ahSby%D<&@saeH*Q>LMIn5fy+|(T6$f3B%Y)}~^g>zY<9b="
    "JcnzH$#NzaoD~Us*cEF=<sP?r>Cb9UeK#%DOq2G+&iGDkJ75bfR(C=aY;e`HpLVwz$KcCQF_97fLNbz4xTTNX"
)

# What `torch.save` of PyTorch 2.13 wrote of the values in `test_what_pytorch_wrote`, compressed.
WRITTEN_BY_PYTORCH = (
    "c-qBSYnT&f6`t%ufY9!8Qz%7jZPip^$!(KOxhxGB+740}XpOCFI-AUHh9;T3nJ){A#;(?^(0ZZuirU&*t5)%@Emj3e)p}Pft*Eu2Ra?9"
    "jub};*-"
    "(`}WnYb+7_&m<Dnd~Ir`=0kZ=X~d!CmZGVDUvjOy3};dlIBQiIg`_ev}IY9s9mKS^2tPpbgknWX{$o=r`jo?s1bNF86%(9GDJ6urthk9"
    "Rx4}SwR(p5&~}M}c7KXl3UqDL^uZj#lngPbiLP{o=y}tZE^GZ2J)cbzt!NtM^iar$seXTI8pW7&r8=m=D<HmP-cZSA@u3gXQXa;O>0C*"
    "sRKW~+3W0BvEXi$h+bCwzH_s@}*_C5D&L!wj(3$dbG5xw~Vpfh?%6W5wDTvv*8FCxJ9L`X~T-"
    "j5@Jb`{5!SfZ&=UWNYx3a*258*t4U&!ztrr>;`V3FW>0l{JgFXReBLcs+NhA=Lq3?70PafTW$Vz-"
    "M0`o#n<QSj1A75>x=x;S0Xh{}S5OZfLM^QTw{@$xE`aPJLiWs`;kOJ$E~xvHy*Wx2+45P>R!W6vRkstEJvirLS-YLo~fRdoAPQ+Yg8q9"
    "IyE%r8q-^rSlJhXtdc6-lL#?yn3CXl2A5TZ-"
    "V)91qL#Mp#w|r>qp)T1C*SV6`cGs<<rY1a~7LJi5k;$Xe!)R|sH|V4Z@?O_^rn6)s>DR|=rq2*r9~^_2p=f#50y8%?>ricKzX42p=tW-"
    "AI?*zIZoyoTUa3Q}ezbq-xxQp;)~Jy<p>B@?gi!?jgh=TEiKZ}MflW?k=bajbaO)cu6MvCml?vudHF74_mEUMowSRb*E>t7X(-q-"
    "6mwY9`Uj#t^RGCFs=cdO_czLEXipJz$hIHIqaChExY*)mbp8L0#?7Ysl>40UW59S{B(2JO#OU6Ivez{K89eyH-"
    "&v+zHz;=x|C8a?~ka0-ZU<Tf<i7lpBOo@&pA1MV>KbV;hV*G-"
    "rWIo8)%6y#_E)S%6FeqCi;Nf+06#8?)2SBDbANYahk1fbAf7or2eMSP9i}iV5GFMje*krjuNnC$0}~@Cz$eIazB|sBaqe<VMaJ$B2mj8"
    "?ETSiQR4z#@|d(Q!u)dKfI-ioqWqg9mKBG6c!Y{sNrV1vs)CrmD3Tttu9d%xG{|bWuuTL!zGQ^yth+rmaZ*gA>Lurdbye(XeiyyQ!E(3"
    "ts={BvyR6*nbda)sqZFuPZjUwvWf;hw(sl19@(Q(aqm~~0WL0&5BA}9`XPTR;EvqwJWZG=6Cdisolb`(3?ttVahDJg#D|5y?za5(5q7&"
    "ri1;YM#}s_rNis~ve15MW3E>lh<dYW3UUvJGAo(=GXB2$aL9!;NmK!9W6C`1LUXXmjBKab_eMykqM{vJ_eGZb%Iioz*PQENyB6vWse8p"
    "n<D!YA6u<R!|px~f`<%;4M$Af~S8;1nPLl(!^+3g#G<C_EzEBKa!W4%!vY><3gkVNqvLGoRT<a_M)eL?aAf*&gQk;cQ7W%0sci)(;2$u"
    "P~RAM@CotVTRi-"
    "!Xmg;RrjwkJj**f}ik8kky9tjE1AuD)H#UPaBQ(XEpp>!Q(tl`tgfQI%Cl4Wcsus`^SeT_)6)a131PB^D5DcK^z~&FBSZX!%RGxNvB!n"
    ")34HLpQ+LL;MaZl4NboqeyiXqzO0C+`*6a4<-h55^NjjjvU*+bY4P8Noeq|aQ7GlL?LPc&U48Ak-jm{=QT$%PA2d#z!5<w{${M3mq}9Q"
    "PKUMLJpD$5yQf{+$_-ENuso^gQ{>mM!6-s0ne`^#(9-kQgPUAxl_&->DBvztM(Sk*L%xMv$e-ivl!LyaFjq<eVPed<X8ld}OuZ`o*U-"
    "PAzjrpsKR`h~O(pDQ!CZ^TLuplG6|Cz^cVq)2Ae8PoNY>dzvr_yR(A1tzFluU$Oqup6u(FhaJyA3CpBiha=V7AoT5YSIgzQM-BWMcVb?"
    "AEWmPDoy38fq(_Jdfp@_lz1kq*acoc3B{qxU>ZUl=6TijqDffBdeH_`ySkLau%PU&#WZkR1!=k0@5Vx_tG=b%j|k@TQ4y~(<iXI!f7{@"
    "O!P>T-~T~s|2VgQUEuBmldvCd&He?eneDCz79C<GZps9<S37M-"
    "l8F_qq#w0E(rbS)E!WJ;Jw1u|cTX<<V|I6M@;*8V|3_Q%f6Mk`t=ea{w{E>_?<C^i(|Y{*x$k9-"
    "iT=^o2z}kjb8`Ofr*2(9zgRGVrX@~I@npg;JvaL&xerdvJ^k>+{_m8QyXp=tfibCt{WIH(j;+0LV*hvAI)JbpY_a}(nDO(EO}%I0{?{o"
    "bT*hhTTh&tZTeKhkKiiM|5A5^k@4x6!YU2LiDP86gKug|AsYUxD|AzOS-ZPo}i?*777Bkau>e$YEo##(FtMeCY;ryLxuX7uA8gpZ(+fL"
    "ZWlpnrh@al=<w^#~|4Uk;Asg-"
    "p)LGDo5B%Ri?$wb$4+(;l2kH^A+Xebu!4#p#aXiuys5D7)1u}C}+@9qi5!=avdFw9i$efCtJpX%^)l^!Oxq0>H7&uUWc{vFeewhz$r9m"
    "tUx(s)z2o5Vf@FLaO`wv#kX-fkZIAUoT^qxhue0oo0>PoEtQ_+viFHT$};_6gF7y?&+(8+2ps)1MQ2)Qt_fvG(cBiDf^6Ij2Q8);?`Hu"
    "}9q4h#PC4SX}!(*M;pqd+bp+HtNROrxn+JJ6zb98*85`T>Eund)!$2gy6*HI$hYf8*A_IozDHbvB9RqvUeyac*`s|IC%Ep!%g7O*@HLD"
    "c7vO8%ih;qmYcv$$z^XzPOvh^4Q|RVdoOW<k2HZB>Gj{+jU&D0y1`BPW$y(}@If1RoEm5^(Tg46IrF3mn#V@j>s?ZBHSJ3q$OW$VN2ZG"
    "Ree>$A*UNtNmTs|%t{4fXdIe?yUoY1F2RB@O6#"
)
# torch.tensor([1.0, 2.0]) in the format before PyTorch 1.6.
LEGACY = (
    "c-n1Gu}T9$5Z&9m7+q0p?JQ%H;*fBuw2(B1QDd`>Ea%>mtSq;g-MN55AWcC120y@G^AiLMCk8vG7??M2-"
    "g~p+Z^C`QkG@VGKW>iuD}MEvQeOh=$s@+tJb3ilJGC$&THioI1bILkXAzxIrm1b!0DqB!Kzy1T745T$kS-zX$qs>W<^w{f<T9nnHV8Xq"
    "CbNx(Z>G>Kv$iEqjXvmEU$tmm6e^g9*1B4uX`&BmkqgSyliiIVF{`P8WP2h;&R2N11qE<<NSxtWQ49w8Fwcu(IDqumThCj_N<OAEw<Rn"
    "2nvx`I=)P)t(HV{OVHDS)Ho?@FR-=I3(+TV$hzaad#(QA@sV7yRv%gxMQ@i*9Be`KV"
)


def unpacked(text: str) -> io.BytesIO:
    return io.BytesIO(zlib.decompress(base64.b85decode(text)))


def saved(value: Any, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    mg.save(value, file, **options)
    file.seek(0)
    return file


def again(value: Any) -> Any:
    return mg.load(saved(value))


def records(file: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as z:
        return {name.removeprefix("archive/"): z.read(name) for name in z.namelist()}


def packed(parts: dict[str, bytes], root: str = "archive/", how: int = zipfile.ZIP_STORED) -> io.BytesIO:
    """An archive of records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as z:
        for name, data in parts.items():
            z.writestr(root + name, data)
    file.seek(0)
    return file


def pickled(text: bytes, **storages: bytes) -> io.BytesIO:
    """An archive of a pickle, written by hand."""
    data = {f"data/{key.strip('_')}": value for key, value in storages.items()}
    return packed({"data.pkl": b"\x80\x02" + text, "byteorder": b"little", **data})


# ---------------------------------------------------------------- PyTorch's files


def test_what_pytorch_wrote() -> None:
    v = mg.load(unpacked(WRITTEN_BY_PYTORCH))
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    optimizer = mg.optim.SGD(net.parameters(), 0.1)
    net.load_state_dict(v["net"])
    optimizer.load_state_dict(v["opt"])
    assert net[2].bias.tolist() == [2.5]
    assert optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["momentum"] == 0.5
    assert optimizer.state[net[0].weight]["momentum_buffer"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert v["net"]._metadata["0"] == {"version": 1}
    v["x"][4] = 10.0  # shared by all three
    assert v["row"].tolist() == [3, 10, 5]
    assert v["T"].tolist() == [[0, 3], [1, 10], [2, 5]]
    assert v["T"].stride() == (1, 3)
    assert type(v["p"]) is nn.Parameter
    assert (v["p"].requires_grad, v["p"].dtype, v["p"].tag, v["t"].note) == (True, mg.float64, "mine", [1])
    assert v["l"] is v["m"]
    assert [t.dtype.name for t in v["types"]] == ["bool", "uint8", "int8", "int16", "int32", "int64"]
    assert [t.item() for t in v["types"]] == [1] * 6
    assert (v["dtype"], v["size"], v["device"]) == (mg.float32, mg.Size([6]), mg.device("cpu"))
    assert (v["b"], v["s"], v["c"]) == (b"\x00\xff", {1}, Counter("aab"))
    assert v["n"] == [-1, 2**70, 1.5, None, True, 1j]
    assert v["empty"].shape == (0, 3)


def everything() -> dict[Any, Any]:
    x, shared = mg.arange(12.0).reshape(3, 4), [1, 2]
    state = OrderedDict(a=1)
    state._metadata = {"": {"version": 2}}  # type: ignore[attr-defined]
    p, t = nn.Parameter(mg.zeros(2), requires_grad=False), mg.ones(2)
    p.tag, t.note = "t", [1, 2]  # type: ignore[attr-defined]
    numbers = [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**63, -(2**64), 2**500, 1.5, float("inf")]
    return {
        "x": x, "row": x[1], "T": x.T, "part": x[:, 1:3], "l": shared, "m": shared, "state": state, "p": p, "t": t,
        "parameter": nn.Parameter(mg.ones(2, 3)), "size": x.shape, "device": mg.device("cpu"), "empty": mg.zeros(0, 3),
        "0-d": mg.tensor(3), "expanded": mg.ones(1).expand(5), "grad": mg.ones(2, requires_grad=True),
        "result": (mg.ones(2, requires_grad=True) * 2), "n": [*numbers, True, False, None, 1 + 2j], "s": "\xe4\ud800",
        "b": b"\x00\xff", "array": bytearray(b"ab"), "set": {1, 2}, "counter": Counter("aab"),
        (1, "a"): (1, (2, ()), "x"), "types": [d for d in vars(mg).values() if isinstance(d, mg.dtype)],
        "many": [str(i) for i in range(300)],
    }  # fmt: skip


def check_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, mg.Tensor):
        assert (a.shape, a.dtype, a.requires_grad, a.tolist()) == (
            b.shape,
            b.dtype,
            b.requires_grad,
            b.tolist(),
        )
        assert a.__getstate__() == b.__getstate__()
        assert b.is_leaf
    elif isinstance(a, dict):
        assert list(a) == list(b)
        check_same([*a.values()], [*b.values()])
        assert getattr(a, "__dict__", None) == getattr(b, "__dict__", None)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            check_same(x, y)
    else:
        assert a == b


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    value = everything()
    check_same(value, again(value))
    mg.save(value, tmp_path / "a.pt")
    loaded = mg.load(str(tmp_path / "a.pt"), map_location="cpu", weights_only=True, mmap=False)
    check_same(value, loaded)
    loaded["x"][1, 1] = 100
    assert loaded["row"][1] == loaded["T"][1, 1] == loaded["part"][1, 0] == 100
    assert loaded["l"] is loaded["m"]
    assert saved(value).getvalue() == (tmp_path / "a.pt").read_bytes()  # the same bytes each time
    assert again(mg.nn.Parameter(mg.ones(2, dtype=mg.complex64))).requires_grad


def test_a_list_may_contain_itself_and_a_tuple_not() -> None:
    cycle: list[Any] = [1]
    cycle.append({"cycle": cycle})
    loaded = again(cycle)
    assert loaded[1]["cycle"] is loaded
    cycle.append((cycle,))
    with pytest.raises(pickle.PicklingError, match="tuple that contains itself"):
        mg.save(cycle[2], io.BytesIO())


def test_training_goes_on_from_a_file(tmp_path: Path) -> None:
    def program(stop: bool) -> list[float]:
        mg.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = mg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        losses, x = [], mg.arange(6.0).reshape(2, 3) / 6
        for step in range(4):
            if stop and step == 2:
                state = {
                    "net": net.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "rng": mg.get_rng_state(),
                }
                mg.save(state, tmp_path / "state.pt")
                net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
                optimizer = mg.optim.SGD(net.parameters(), lr=1.0)
                state = mg.load(tmp_path / "state.pt")
                net.load_state_dict(state["net"])
                optimizer.load_state_dict(state["optimizer"])
                mg.set_rng_state(state["rng"])
            loss = (net(x + mg.rand(2, 3)) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    assert program(stop=True) == program(stop=False)


# ---------------------------------------------------------------- what another reader finds in our files

# The instructions of PyTorch's reader for weights_only=True, and the names that it knows.
INSTRUCTIONS = {
    "PROTO", "STOP", "GLOBAL", "NEWOBJ", "REDUCE", "BUILD", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "MARK", "TUPLE",
    "TUPLE1", "TUPLE2", "TUPLE3", "NONE", "NEWFALSE", "NEWTRUE", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET",
    "BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "BINPERSID", "BINGET", "LONG_BINGET",
    "BINPUT", "LONG_BINPUT", "LONG1",
}  # fmt: skip
STORAGES = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4",
    "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip


class Other(pickle.Unpickler):
    """The standard library's reader, with stand-ins for what PyTorch has."""

    def __init__(self, parts: dict[str, bytes]) -> None:
        super().__init__(io.BytesIO(parts["data.pkl"]))
        self.parts = parts

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        stands = {
            "torch._utils _rebuild_tensor_v2": self.tensor,
            "torch._utils _rebuild_parameter": lambda t, requires_grad, hooks: t,
            "torch._utils _rebuild_parameter_with_state": lambda t, requires_grad, hooks, state: t,
            "torch._tensor _rebuild_from_type_v2": lambda function, cls, args, state: function(*args),
            "torch Tensor": None,
            "torch Size": tuple,
            "torch device": str,
            **{f"torch {d.name}": d.name for d in everything()["types"]},
        }
        key = f"{module} {name}"
        return stands[key] if key in stands else super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        word, kind, key, location, count = pid
        assert (word, location) == ("storage", "cpu")
        data = np.frombuffer(self.parts[f"data/{key}"], kind)
        assert len(data) == count
        return data

    @staticmethod
    def tensor(data: Any, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any) -> Any:
        strides = tuple(n * data.itemsize for n in stride)
        return np.lib.stride_tricks.as_strided(data[offset:], size, strides).tolist()


def test_another_reader_finds_the_same() -> None:
    value = everything()
    parts = records(saved(value))
    assert {op.name for op, _, _ in pickletools.genops(parts["data.pkl"])} <= INSTRUCTIONS
    loaded = Other(parts).load()
    assert list(loaded) == list(value)
    for name, ours in value.items():
        if isinstance(ours, mg.Tensor):
            assert loaded[name] == ours.tolist(), name
        elif name not in ("types", "device"):
            assert loaded[name] == ours, name
    assert loaded["state"]._metadata == {"": {"version": 2}}
    assert (parts["version"], parts["byteorder"]) == (b"3\n", sys.byteorder.encode())


def test_records_are_aligned_and_stored() -> None:
    file = saved(everything())
    with zipfile.ZipFile(file) as z:
        for info in z.infolist():
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            assert (info.header_offset + 30 + name + extra) % 64 == 0
            assert info.compress_type == zipfile.ZIP_STORED
    assert len(records(file)) == 5 + len({(s, n) for s, n in _storages(file)})


def _storages(file: io.BytesIO) -> list[tuple[str, bytes]]:
    return [(name, data) for name, data in records(file).items() if name.startswith("data/")]


def test_memory_is_written_once_and_whole() -> None:
    x = mg.arange(100.0)
    assert len(_storages(saved([x, x[:3], x.reshape(10, 10).T, x.detach()]))) == 1
    ((_, data),) = _storages(saved(x[:3]))
    assert len(data) == 400
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        mg.save([x, mg.from_numpy(x.numpy().view(np.int32))], io.BytesIO())
    array = np.arange(6.0)
    assert again(mg.from_numpy(array.astype(np.float32)[::2])).tolist() == [0, 2, 4]


# ---------------------------------------------------------------- what cannot be saved or loaded


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": np.array([None])}, r"numpy.ndarray of object at \['a'\]"),
        (np.zeros(2, [("x", "f4")]), "numpy.ndarray of "),
        ({"a": [1, defaultdict(len)]}, r"collections.defaultdict at \['a'\]\[1\].*plain dict"),
        (len, "builtins.builtin_function_or_method: a file holds"),
        (type("Mine", (mg.Tensor,), {})([1.0]), "Mine.*value.as_subclass"),
        (1 << 3000, "255 are the most"),
    ],
)
def test_what_is_no_data_is_not_saved(value: Any, says: str) -> None:
    with pytest.raises(pickle.PicklingError, match=says):
        mg.save(value, io.BytesIO())


def test_numbers_of_numpy_become_pythons() -> None:
    loaded = again([np.float64(0.1), np.float32(0.5), np.int64(3), np.bool_(True)])
    assert [(type(n), n) for n in loaded] == [(float, 0.1), (float, 0.5), (int, 3), (bool, True)]


ARRAYS = [
    np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)), np.array(3.5),
    np.zeros((0, 3), np.float16), np.array([True, False]), np.array([1 + 2j]), np.array(["ab", "c"]),
    np.arange(4)[::-1], np.array([b"xyz"]),
]  # fmt: skip


def test_arrays_of_numpy() -> None:
    swapped = np.arange(3, dtype=">f4")
    values = {"all": ARRAYS, "again": ARRAYS[0], "swapped": swapped, "tensor": mg.ones(2)}
    for loaded in (again(values), pickle.loads(pickle.dumps(again(values)))):
        for before, after in zip([*ARRAYS, swapped], [*loaded["all"], loaded["swapped"]], strict=True):
            assert type(after) is np.ndarray
            assert (after.dtype, after.shape) == (before.dtype.newbyteorder("="), before.shape)
            assert (after == before).all()
    assert loaded["again"] is loaded["all"][0]


def test_arrays_and_numbers_in_files_of_pytorch() -> None:
    values = [ARRAYS[0], np.float32(0.5), np.int64(-3), np.bool_(True), b"", np.arange(3, dtype=">i2")]
    parts = records(saved(mg.ones(2)))
    file = packed({**parts, "data.pkl": pickle.dumps(values, 2)})
    loaded = mg.load(file)
    assert [type(v) for v in loaded] == [type(v) for v in values]
    assert all(np.array_equal(a, b) for a, b in zip(loaded, values, strict=True))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"i8", b"O8", "elements of the type 'O8'"),
        (b"i8", b"i7", "elements of the type 'i7'"),
        (b"i8", b"i4", "has 16 bytes"),
        (b"K\x02\x85", b"K\x03\x85", r"shape \[3\] has 16 bytes"),
        (b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00?", "type of an array's elements has a state"),
        (b"K\x02\x85", b"J\xff\xff\xff\xff\x85", "has the shape"),
    ],
)
def test_arrays_that_are_refused(old: bytes, new: bytes, says: str) -> None:
    parts = records(saved(mg.ones(2)))
    text = pickle.dumps(np.arange(2), 2)
    assert old in text
    with pytest.raises(pickle.UnpicklingError, match=says):
        mg.load(packed({**parts, "data.pkl": text.replace(old, new)}))


def other_type(name: str) -> io.BytesIO:
    parts = records(saved(mg.ones(2)))
    return packed({**parts, "data.pkl": parts["data.pkl"].replace(b"torch\nFloatStorage", name.encode())})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torch\nQInt8Storage", "quantised"),
        ("torch._utils\n_rebuild_tensor_v3", "rarer element types"),
        ("torch._utils\n_rebuild_nested_tensor", "nested Tensors"),
        ("torch._utils\n_rebuild_meta_tensor_no_storage", "Tensors without values"),
        ("torch.nn.modules.linear\nLinear", r"torch.nn.modules.linear.Linear.*state_dict\(\)"),
    ],
)
def test_what_minigrad_has_no_place_for(name: str, says: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=says):
        mg.load(other_type(name))


def test_options() -> None:
    file = saved(mg.ones(2))
    for options in (
        {"map_location": mg.device("cpu")}, {"map_location": {"cuda:0": "cpu"}}, {"mmap": False}, {"encoding": "ascii"},
    ):  # fmt: skip
        file.seek(0)
        assert mg.load(file, **options).tolist() == [1, 1]
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight_only'"):
        mg.load(file, weight_only=False)
    with pytest.raises(ValueError, match="must be a file path in order to use the mmap"):
        mg.load(file, mmap=True)
    file.seek(0)
    assert mg.load(file, lambda storage, place: storage).tolist() == [1, 1]
    for place in ("cuda", {"cpu": "cuda:1"}):
        with pytest.raises(RuntimeError, match="minigrad runs on the CPU only"):
            mg.load(file, map_location=place)
    file.seek(0)
    assert mg.load(file, weights_only=False).tolist() == [1, 1]  # read by the same short list of names
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        mg.load(file, pickle_module=pickle, weights_only=True)
    with pytest.raises(AttributeError, match="read, seek and tell, got list"):
        mg.load([])  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="a path or a file with a method write, got int"):
        mg.save(1, 3)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        mg.load("no such file.pt")


def test_the_format_before_that_of_archives(tmp_path: Path) -> None:
    x = mg.arange(6.0).reshape(2, 3)
    value = {
        "x": x,
        "row": x[1],
        "t": x.t(),
        "p": nn.Parameter(x),
        "whole": mg.arange(3),
        "none": mg.zeros(0),
        "n": [1, 2.5],
    }
    mg.save(value, tmp_path / "file.pt", _use_new_zipfile_serialization=False)
    data = (tmp_path / "file.pt").read_bytes()
    assert data.startswith(
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    )  # as PyTorch's files
    assert data.endswith(np.array([2**0, 0], "<i8")[1:].tobytes())  # the last storage has no elements
    loaded = mg.load(tmp_path / "file.pt")
    assert loaded.keys() == value.keys()
    assert loaded["n"] == [1, 2.5]
    for name in ("x", "row", "t", "p", "whole", "none"):
        assert mg.equal(loaded[name], value[name]), name
    loaded["x"][1, 0] = 9
    assert [loaded[name].max().item() for name in ("row", "t", "p")] == [9, 9, 9]


@pytest.mark.parametrize("as_before", [False, True])
def test_files_that_can_little(as_before: bool) -> None:
    file = io.BytesIO()
    mg.save([mg.ones(2)], file, _use_new_zipfile_serialization=not as_before)
    file.seek(0)
    few = types.SimpleNamespace(read=file.read, seek=file.seek, tell=file.tell)
    assert mg.load(few)[0].tolist() == [1, 1]


def test_values_one_behind_the_other(tmp_path: Path) -> None:
    values = [mg.arange(5), {"a": mg.ones(2, 3)}, mg.zeros(0), 3]
    with open(tmp_path / "file.pt", "w+b") as file:
        for value in values:
            mg.save(value, file, _use_new_zipfile_serialization=False)
        file.seek(0)
        loaded = [mg.load(file) for _ in values]
        with pytest.raises(EOFError):
            mg.load(file)
    assert repr(loaded) == repr(values)


@pytest.mark.parametrize(
    ("value", "marks", "expected"),
    [
        ([1 + 2j], "conj", [1 - 2j]),
        ([1 + 2j], "neg", [-1 - 2j]),
        ([1 + 2j], "neg conj", [-1 + 2j]),
        ([2.0, 0.5], "neg", [-2, -0.5]),
        ([2.0], "conj", [2]),
        ([True], "neg", [True]),
    ],
)
def test_numbers_that_pytorch_conjugates_when_it_reads_them(value: Any, marks: str, expected: Any) -> None:
    parts = records(saved(mg.tensor(value)))
    given = b"".join(b"X" + struct.pack("<i", len(m)) + m.encode() + b"\x88s" for m in marks.split())
    marked = parts["data.pkl"].replace(b"OrderedDict\nq\x05(tR", b"OrderedDict\nq\x05(tR}" + given)
    assert marked != parts["data.pkl"]
    assert mg.load(packed({**parts, "data.pkl": marked})).tolist() == expected
    old = saved(mg.tensor(value), _use_new_zipfile_serialization=False).getvalue()
    marked = old.replace(b"OrderedDict\nq\x05(tR", b"OrderedDict\nq\x05(tR}" + given)
    assert marked != old
    assert mg.load(io.BytesIO(marked)).tolist() == expected


def test_sparse_places_that_come_behind_their_pickle() -> None:
    x = mg.tensor([[0.0, 0, 2], [3, 0, 0]])
    for t in (x.to_sparse(), x.to_sparse_csr()):
        assert mg.equal(mg.load(saved([t], _use_new_zipfile_serialization=False))[0].to_dense(), x)


class Inside:
    class Kind(enum.Enum):
        ONE = 1


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_protocols_that_save_was_told(protocol: int) -> None:
    long = "\u00e9" * 300
    shared = [1]
    value = [
        (), 2.5, -7, long, long.encode(), b"", bytearray(b"b"), {1, "a"}, frozenset([2]), {"k": shared}, shared,
        range(1, 9, 2), slice(None, 3), defaultdict(list, a=[1]), deque([1], 3), OrderedDict(a=1), 1j, Path("a"),
        None, True, Inside.Kind.ONE,
    ]  # fmt: skip
    text = pickle.dumps(value, protocol)
    parts = records(saved(0))
    loaded = mg.load(packed({**parts, "data.pkl": text}), weights_only=False)
    assert loaded == value
    assert loaded[9]["k"] is loaded[10]
    for end in range(0, len(text), 7):
        with pytest.raises(pickle.UnpicklingError):
            mg.load(packed({**parts, "data.pkl": text[:end]}), weights_only=False)
    with pytest.raises(pickle.UnpicklingError, match=r"GLOBAL \w+\.system"):
        mg.load(packed({**parts, "data.pkl": pickle.dumps(os.system, protocol)}))


def test_what_was_on_another_device_is_on_the_cpu() -> None:
    parts = records(saved({"t": mg.ones(2), "device": mg.device("cpu")}))
    text = parts["data.pkl"].replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    loaded = mg.load(packed({**parts, "data.pkl": text}))
    assert (loaded["t"].tolist(), loaded["device"]) == ([1, 1], mg.device("cpu"))


def test_the_other_order_of_bytes() -> None:
    parts = records(saved([mg.tensor([1, 2]), mg.tensor([0.5])]))
    swapped = {
        **parts, "data/0": struct.pack(">2q", 1, 2), "data/1": struct.pack(">f", 0.5), "byteorder": b"big"
    }  # fmt: skip
    if sys.byteorder == "little":
        assert [t.tolist() for t in mg.load(packed(swapped))] == [[1, 2], [0.5]]


# ---------------------------------------------------------------- files that are not whole, or mean harm


def storage(key: str = "0", count: int = 2, kind: str = "FloatStorage") -> bytes:
    """Instructions that refer to a storage."""
    texts = [b"X" + struct.pack("<I", len(t)) + t for t in (b"storage", key.encode(), b"cpu")]
    return (
        b"("
        + texts[0]
        + b"ctorch\n"
        + kind.encode()
        + b"\n"
        + texts[1]
        + texts[2]
        + b"K"
        + bytes([count])
        + b"tQ"
    )


def tensor(
    offset: bytes = b"K\x00", size: bytes = b"K\x02", stride: bytes = b"K\x01", of: bytes = b""
) -> bytes:
    """Instructions that make a Tensor."""
    begin = b"ctorch._utils\n_rebuild_tensor_v2\n(" + (of or storage())
    return begin + offset + b"(" + size + b"t(" + stride + b"t\x89)tR"


EIGHT = struct.pack("<2f", 1.0, 2.0)


def test_a_pickle_written_by_hand() -> None:
    assert mg.load(pickled(tensor() + b".", _0=EIGHT)).tolist() == [1, 2]
    assert mg.load(pickled(tensor(size=b"K\x05", stride=b"K\x00") + b".", _0=EIGHT)).tolist() == [1] * 5


HARMFUL = {
    "calls os.system": b"cposix\nsystem\n(X\x05\x00\x00\x00touchtR.",
    "calls eval": b"c__builtin__\neval\n(X\x01\x00\x00\x001tR.",
    "looks up an attribute": b"cminigrad\nload\n.",
    "makes an object": b"ccollections\nOrderedDict\n)\x81.",
    "makes an instance": b"(iposix\nsystem\n.",
    "takes a name from the stack": b"X\x05\x00\x00\x00posixX\x06\x00\x00\x00system\x93.",
    "uses the registry of extensions": b"\x82\x01.",
    "calls what is no function": b"K\x01)R.",
    "calls an element type": b"ctorch\nfloat32\n)R.",
    "calls a class": b"ctorch\nTensor\n)R.",
    "calls with too many arguments": b"ctorch\nSize\n(K\x01K\x01tR.",
    "builds a Tensor": tensor() + b"}X\x06\x00\x00\x00_arrayK\x01sb.",
    "replaces a method": b"ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.",
    "replaces a method of a Tensor": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n("
        + storage() + b"K\x00(K\x02t(K\x01t\x89)t}X\x05\x00\x00\x00_gradK\x01stR."
    ),
    "appends to a dict": b"}K\x01a.",
    "sets items of a list": b"]K\x01K\x01s.",
    "has a list for a key": b"}]K\x01s.",
    "hashes for years": b"}K\x01" + b"q\x00h\x00\x86" * 60 + b"K\x01s.",
    "keeps at a place far out": b"K\x01r\xff\xff\xff\x7f0j\x00\x00\x00\x00.",
    "has a text longer than the file": b"X\xff\xff\xff\x7fa.",
    "refers to a file": b"X\x0b\x00\x00\x00/etc/passwdQ.",
    "refers to what is no storage": b"(X\x04\x00\x00\x00fileX\x01\x00\x00\x00aNNNtQ.",
    "reaches beyond a storage": tensor(size=b"K\x03") + b".",
    "begins beyond a storage": tensor(offset=b"K\x01") + b".",
    "steps beyond a storage": tensor(stride=b"K\x02") + b".",
    "begins before a storage": tensor(offset=b"J\xff\xff\xff\xff") + b".",
    "steps back": tensor(stride=b"J\xff\xff\xff\xff") + b".",
    "is larger than any memory": tensor(b"K\x00", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"K\x00") + b".",
    "has sizes without strides": tensor(stride=b"") + b".",
    "has a flag for a size": tensor(size=b"\x88") + b".",
    "has two types for a storage": b"(" + storage() + storage(kind="IntStorage") + b"t.",
    "has whole numbers that require grad": (
        tensor(of=storage(kind="IntStorage")).replace(b"\x89)tR", b"\x88)tR") + b"."
    ),
    "ends without a value": b".",
    "ends with two": b"NN.",
    "does not end": b"N",
    "takes from an empty stack": b"a.",
    "ends what was not begun": b"Nt.",
    "gets what was not kept": b"h\x07.",
    "has bytes that are no text": b"X\x01\x00\x00\x00\xff.",
    "has an unknown instruction": b"\xff.",
    "copies a text as bytes again and again": (
        b"c_codecs\nencode\nq\x000X\x40\x42\x0f\x00" + b"a" * 1_000_000 + b"q\x010X\x06\x00\x00\x00latin1q\x020("
        + b"h\x00h\x01h\x02\x86R" * 40 + b"t."
    ),
    "copies numbers again and again": (
        b"ctorch\nSize\nq\x000(" + b"K\x01" * 40_000 + b"tq\x010(" + b"h\x00h\x01\x85R" * 40 + b"t."
    ),
    "has a long key again and again": b"(" + b"K\x01" * 9_000 + b"tq\x000}(" + b"h\x00N" * 1_000 + b"u.",
    "names an encoding that prints for years": (
        b"c_codecs\nencode\nX\x01\x00\x00\x00aNq\x00" + b"0](h\x00h\x00eq\x00" * 60 + b"\x86R."
    ),
    "has a storage of fewer than no elements": tensor(
        of=storage().replace(b"K\x02tQ", b"J\xff\xff\xff\xfftQ")
    ) + b".",
}  # fmt: skip


@pytest.mark.parametrize("what", HARMFUL)
def test_a_pickle_that(what: str) -> None:
    why = "copies its own values so often" if "again and again" in what else ""
    with pytest.raises(
        pickle.UnpicklingError, match=rf"^Weights only load failed\. the file: .*{why}.* \(at .*test_save.py"
    ):
        mg.load(pickled(HARMFUL[what], _0=EIGHT))


def test_storages_that_do_not_fit() -> None:
    for file, says in (
        (pickled(tensor() + b".", _0=EIGHT[:4]), "the storage 0 has 4 bytes, and 8 are said to be in it"),
        (pickled(tensor() + b"."), "has no record data/0"),
        (pickled(tensor(of=storage("../../etc/passwd")) + b"."), "'../../etc/passwd', which is not a name"),
    ):
        with pytest.raises(RuntimeError, match=says):
            mg.load(file)


def test_archives_that_are_refused(tmp_path: Path) -> None:
    parts = records(saved(mg.zeros(1000)))
    twice = io.BytesIO(saved(1).getvalue())
    with zipfile.ZipFile(twice, "a") as z, pytest.warns(UserWarning, match="Duplicate name"):
        z.writestr("archive/data.pkl", parts["data.pkl"])
    twice.seek(0)
    bomb = packed({**parts, "data/0": b"\0" * 4000}, how=zipfile.ZIP_DEFLATED)
    for file, says in (
        (bomb, "compressed"),
        (packed({**parts, "../../evil": b""}), "leads out of the archive"),
        (packed({**parts, "data\\..\\evil": b""}), "leads out of the archive"),
        (packed({"model.txt": b""}), "no record data.pkl"),
        (twice, "several records of one name"),
        (packed({**parts, "constants.pkl": b""}), "TorchScript"),
        (packed({"a/data.pkl": b"", "b/data.pkl": b""}, ""), "no record data.pkl"),
    ):
        with pytest.raises(RuntimeError, match=says):
            mg.load(file)
    whole = saved(mg.zeros(1000)).getvalue()
    path = tmp_path / "cut.pt"
    for end in (10, 100, 3000, len(whole) - 10):
        path.write_bytes(whole[:end])
        with pytest.raises(RuntimeError, match=r"'.*cut.pt' is damaged or cut off"):
            mg.load(path)
    wrong = bytearray(whole)
    wrong[whole.index(b"\0" * 1000) + 500] = 1  # within the storage
    with pytest.raises(RuntimeError, match=r"data/0 cannot be read \(Bad CRC-32"):
        mg.load(io.BytesIO(wrong))


def test_records_that_overlap() -> None:
    """One record under many names: small in the file, large in memory."""
    file = saved(mg.zeros(1000))
    with zipfile.ZipFile(file, "a") as z:
        info = z.getinfo("archive/data/0")
        for k in range(1, 9):
            twin = zipfile.ZipInfo(f"archive/data/{k}")
            for slot in ("header_offset", "CRC", "file_size", "compress_size"):
                setattr(twin, slot, getattr(info, slot))
            z.filelist.append(twin)
        z._didModify = True  # type: ignore[attr-defined]
    file.seek(0)
    with pytest.raises(RuntimeError, match="its records overlap"):
        mg.load(file)


def test_files_of_another_kind() -> None:
    for data, says in (
        (b"hello", "does not begin as a file of save"),
        (pickle.dumps([1], 2), "a pickle, but not one of save"),
        (pickle.dumps([1]), "a pickle, but not one of save"),
        (b"\x80\x02\x97.", "Unsupported operand 151"),
    ):
        with pytest.raises(pickle.UnpicklingError, match=says):
            mg.load(io.BytesIO(data))
    with pytest.raises(EOFError, match="Ran out of input"):
        mg.load(io.BytesIO())


def test_files_before_pytorch_1_6() -> None:
    whole = unpacked(LEGACY).getvalue()
    t = mg.load(io.BytesIO(whole))
    assert (t.tolist(), t.dtype) == ([1, 2], mg.float32)
    for end in range(1, len(whole), 7):
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match="cut off"):
            mg.load(io.BytesIO(whole[:end]))
    at = whole.rindex(b"q\x01a.")  # the end of the list of keys
    for changed, says in (
        (whole.replace(b"K\x02Ntq", b"J\x00\x00\x00\x70Ntq"), "storages are larger than the file"),
        (whole.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"), "another order of bytes"),
        (whole[: at - 1] + b"x" + whole[at:], "its list of storages is not"),
        (
            whole[: at + 3] + b"Nq\x09" + b"0](h\x09h\x09eq\x09" * 60 + b"a." + whole[at + 4 :],
            "list of storages",
        ),
    ):
        with pytest.raises(RuntimeError, match=says):
            mg.load(io.BytesIO(changed))


def test_bytes_changed_anywhere_are_an_error_or_harmless() -> None:
    whole = unpacked(WRITTEN_BY_PYTORCH).getvalue()
    parts = records(io.BytesIO(whole))
    rng, outcomes = np.random.default_rng(0), Counter[str]()
    for k in range(200):
        data = bytearray(whole if k % 2 else parts["data.pkl"])
        for at in rng.integers(len(data), size=3):
            data[at] = rng.integers(256)
        try:
            mg.load(io.BytesIO(data) if k % 2 else packed({**parts, "data.pkl": bytes(data)}))
            outcomes["loaded"] += 1
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            outcomes[type(error).__name__] += 1
    assert outcomes["RuntimeError"] > 20
    assert outcomes["UnpicklingError"] > 20


# ---------------------------------------------------------------- a whole file takes the place of the old one


def test_an_interrupted_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    mg.save(mg.ones(2), path)
    path.chmod(0o640)
    add = archive._add

    def interrupted(z: zipfile.ZipFile, name: str, data: Any) -> None:
        if name == "data/0":
            raise KeyboardInterrupt
        add(z, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mg.save(mg.zeros(3), path)
    with pytest.raises(pickle.PicklingError):
        mg.save([mg.zeros(3), len], path)
    assert mg.load(path).tolist() == [1, 1]
    assert os.listdir(tmp_path) == ["a.pt"]
    mg.save(mg.zeros(3), path)
    assert mg.load(path).tolist() == [0, 0, 0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 or sys.platform == "win32"
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        mg.save(1, tmp_path / "nowhere" / "a.pt")


@pytest.mark.skipif(sys.platform == "win32", reason="links and devices of POSIX")
def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "link.pt").symlink_to(tmp_path / "file.pt")
    mg.save(mg.ones(1), tmp_path / "link.pt")
    assert (tmp_path / "link.pt").is_symlink()
    assert mg.load(tmp_path / "file.pt").tolist() == [1]
    mg.save(mg.ones(1), "/dev/null")
    with pytest.raises(IsADirectoryError):
        mg.save(1, tmp_path)


def test_a_file_within_a_file() -> None:
    file = io.BytesIO(b"before")
    file.seek(6)
    mg.save(mg.ones(2), file)
    file.seek(6)
    assert mg.load(file).tolist() == [1, 1]


def test_plain_pickles_of_pytorch(torch: types.ModuleType) -> None:
    a, part, fixed, p, noted, conj, leaf, flag, empty, layer, opt = pickle.loads(
        zlib.decompress(base64.b85decode(PICKLED_BY_PYTORCH))
    )
    assert a.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert a.stride() == part.stride() == (1, 3)
    assert part.tolist() == [[1, 4], [2, 5]]
    assert isinstance(fixed, nn.Parameter)
    assert (fixed.tolist(), fixed.requires_grad) == ([3], False)
    assert (type(p), p.requires_grad, p.note) == (nn.Parameter, True, "p")
    assert (type(noted), noted.requires_grad, noted.note) == (mg.Tensor, False, "hi")
    assert conj.tolist() == [1 - 2j]
    assert leaf.requires_grad
    assert flag.dtype == mg.bool
    assert flag.tolist() == [True]
    assert empty.shape == (0, 3)
    assert layer(mg.ones(1, 2)).tolist() == [[4.5]]
    layer(mg.ones(1, 2)).sum().backward()
    opt.step()  # its parameters are those of the layer
    assert layer.weight.tolist() == [[1.899999976158142] * 2]
