"""Whole modules and other objects in files of `minigrad.save`: what is read again, and what no file can do."""

from __future__ import annotations

import argparse
import base64
import dataclasses
import enum
import functools
import io
import pathlib
import pickle
import pickletools
import sys
import types
import zipfile
import zlib
from collections import OrderedDict, defaultdict, deque
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from test_save import packed

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn, optim
from minigrad.serialization import safe_globals
from minigrad.utils.data import Subset, TensorDataset

# What PyTorch 2.13 wrote of a Sequential, its optimizer, a dataset, a decoder layer and a function, compressed.
WRITTEN_BY_PYTORCH = (
    "c-qZd2b>ed_s?zMI6^s^fS`zqatIukTo(a3@IZr<02&J}d&%Bya=GMYc5@Ux1@Snr_b&F{3-*G&fgQyPioJL2{$}1xW;UBp4)}Zj@VR7ncHaBW"
    "d*AQ8ot=c~es>3#D=*KL@#^8~<<fA-h&1V=!kVQOHrB_gtGc_6OnWU-nvts@m_rO2P)^875R1Ziys#k=PR4YzFqDW}S|qMx&rBU9^|%$$VjiRn"
    "Ta4Vzs6#=J0$Z5$h{Wqq$7R7T<Xmmku-2ekIyO;mGwKAL)S6^%Ep5qbMxBELX-hm2R~t!F#I%UxR0q}6E#wKQ<UA6yB5_sqkQNW>G6!{SLEQqV"
    "d$2e7(?a$0G#pkNv9214M7@dfL!m@0riZLZB5r!7;joVN@We=nSoatfKs|%`X@<<GmqD-f4)&$jBBolKjK$LXpgvQB-RafZ1hyIO0)~Bq12QhD"
    "^CFg^QU`S=>IdEW2Y1Wtrp4xI3rsbnkwJ&iuF!Enu$R4~3~nG?-YqyN>*X}a-J$ECU{BiBv@}as!z2sb(H?MhaBvsLRSC5x^w^6<7E5U1?A`W;"
    "ZbKNE8Ql_Q3UD9jw=a_c7Zw`Yj0%|UiqNpEx@+=GAaCBV2kl4XHoO^)C@?xMGl-%_76fyN;XFN3XIQ9^TdPSc5;Hw2)~RyBQiUEgYBODk?#u*M"
    "n|vNrL`KtzI5kO6txiW?X5y(Pfmt(IqX+r;h>L@6@)>GOq7r|ug-U1mU4F%%<9D~BGQXSr%V|aB%OUOx3snZt{>$KGbSpX_fW`#LoORViG!u<A"
    "Mi~U!@EXju7mYJY{ECGR1eYynyg#P}RWVl+EHp8I4q~pVThXKdnw&JqggV&p7-W7N(t`W}G{wk=4u={{+Ea}_Qw=88X$Di{bc2a)hQU-7FqmX!"
    "8cZCs3?_lu2IKfJgK>DcL1+uYBqtLyWN7iY9y8Gq{+wV}(w0bCvhhg20v+phOwLs^vQS4y`Q0t(XdutDa3rjwIW)XuAoGn{I83XEN}J|_TEdZ-"
    "Mkh1UXj@It!>Uc(B<dnFCbS&pC4p@u$SM1<-_?S20I9=?WTS~{`S^GbszDvq0YWH(L&=zikr5nB<%#tsQiJqx${T5D)QPBxR^~-QI*JgIbC#lL"
    "vWC-DpQ+s%%?cUu1a9zD(W9y4h^jb7RNT;v;wcp;3XDPr`##jj*hidwOyf2g`<8{00o26UpVx}!2hak;sh?uBka;+kdpM4IXl5Rcx6lazw1|0F"
    "+=@;Npe3N6lL{a|I2n&aesnF4TGITMpry=jEBCvM`d!Zao@}900_aqrJLRK^<n**O7p3TQ=Hd+Q;!Nt|Eau{D3!M`{=R#?ZCmU4Ap>C>#?NB|T"
    "`aI@}Ps%BYc%7J&=Y#h$bOG_6W1$O)_hG}B*NZH4aR6PCWYgo)7Iawvt>Dw+ay~t-kkjKzK0U7D)8lGBJ+9%?<61sFuH)0=dOkgF;M3zqIz4WJ"
    "RMHq~iExsb)ViC=RG{@jCtAE^(%6rGTe)nb@dN0uA<;nYeaQxN>!fiHTtr_NgL1XnT5{J#w=IK=Ko-<gYH5`<(e2B)27Ty`Obz0A+%qXK+k@^T"
    "s=KQh-JMe1J&bBrJJpDx#){BNhltA2y(E|YEp#7cD%am(DZ1a^f$IJNme&U@^iTjj%!KqvD|$459<#eO!0jrB+Y0nJaog2GPcXO2QuHLPnoH4B"
    "%<a<_dM1FLWp1BqMb8J&3oz$tspMmQ(c!cbtu~+ruK}km=q0MEmzl#?Ec9vsy~Z5A-iqD`ptaH=8|9lehYFq2Md&T&aUJ*gHud-p^Z2fX-V31j"
    "na2-W(fR<|08{8grm>G&(8d7zm}~44uCY(0#y;a3`<!d+3$C#*xyHWY8vB}S>>IAJZ@I?4qZ<1jZXi&`egI_=s?m=SStL$tAynI+{2gFQ8j)~V"
    "kF&O)i4;9tpD}F#U6B3a&oRcbl^e`DwKjrH3;ntrs&W`78cBggn<k|emcee2z;Fb!m6jGmzby}Tru7vkq73GDzl*KXYDocCnJP>*PVUDh`eP3I"
    "v%pwstTJ9S-qb-hWF-_!^+JEmL4VId|Hv*HAf~xO|IWcKLVtnrnDK(K*4UsYYm$6EBybM-;8P;eXhj+d&APB>=A?-ptdJ|i7GpR0XvQ6=19qR$"
    "Yqey|GI2+^kP8>67-ATAA}3;Q8f2P&y_&w(K*V9Kp;4!k66cX_Bxu_t2<stj0q)G&DN0-?3tgOO!XDDLoK1giex!jU40nMhnsBnT)3uO+yOI{R"
    "?hHrh!Wh=xH8CA`gRUKE*Ce@9;qJ6!5*lFrh4X3n_LVRXkFLu+xCgyzUtP22o}{@2_ag5B+?%}f8zxyosq8L_`;gW-co)b}U&v5ys*8#H!NvYS"
    "$rxj@vA|d&sEKYag;AEYD9ce4(h`MCL?QYpgc@Z5YMkCM-c`~I>$yUByrFOOL17lG=_c|sJb*Di5Qe=Q4U8t4E&NQpJ89sv|9m$4y?799EAhK6"
    "yazd=HNf412h$<uwBSAIi0DMbd*#r&yf-9l2qbSG@@}$0#_+y!khZc6ix<Lh16h^MlE)ME5Shz(3Z0N1Jd_Q&0ERpaQVO*j??*?L*NlhLPg-v9"
    "2ml@lgD9k}P<QYsdI+Tl7tzC1^}$|x1_cQF=pob~Tucw44B--b2$cwz(nBalxQre`J;LSm5K0oRpodVEa3wt)+Kl%HUC^0f>aki?v#dBCoi!60"
    "(Pk4Y?mUMQZAJ`T3y-(xgCK3f2e2HBfgFsr<zO5jbZ0A2C^&4o;RERq9Hrcc$1^g!TDXdnN$)#&0;QAQdhkR+=s`eeHRN&<d50R0CzGRAd@!^g"
    "lEbSXN<;R;Or`DhY3)-)dsABbq0rvd76QE;;i*{yD8|!R0J#>Po(iA^&){kdh{4Z<!OwzW&K83|3<iHVv{GHtI~6`csOLyf&rxvsXsMn#Qa#6{"
    "sYjLSnJd+!N%ho7^@OB)!cslDR8Or`PaRi}LGzo(A0%jEa3rgCVq|HgVb9b=eBuIfPl?b6=mj&98qv-|S|X>g>p03pR1YGG*+kR;$A!*pm*6<d"
    "b_WY5c(xTPmqsBMBr=X6<0d4}5*bfI#+#sZ9(6X>2~vvZGZ4kX3sN90cp<0sSOIVx05pTE;|0J80I&#J7pEvaQBb-BC_M=-w@6BtN=jSPC|xEg"
    "T`nm-SyFn6r1Vrt>1mSE(<P;6NJ`J-l%7Q?<<E<$^)Nmg(kUJpMf*9>o~$vUg6Iu3<gqIpX~5^Q{&dY#PtVVj=S}qde0B~C4piTynq-}!O7jb7"
    "^1vls_0U3N;tL_&#wK}N`jy?0>1D9Gh&jzotrqL?#V~J0LleG4OmOnBsFJ&Qf>pdrDTm~CMXOXps<^RBmyt_RUffoIE-$y~@(Ow!%~r|E@Rg#H"
    "U1hIiR|{!gBb0M3DCas5!SzBpH-K_(gw~trFraQlp-M%eCPlNApmKb(C_%T#5_Buq>umz{c0j!Y{NE{1?*i1jq4l1WURMge-V1uY4=&#?_4<I+"
    ">w{@}eMsu{VX4<gq+TDDdVNglb(PfX<5I6rNWDJE_4*V|46Qm*UOb)#lAf`V^lbLxQGuTm#p8K<@pwTn^rFbsYRJ_Z2>T_GtCt~HuR!aoS&K&{"
    "eoYjQ*Jbf|gOjmV0K5qRZ-J|I0^n@`cn4bFO_A}QAme=?;{&+7UXrmvlJQ|086Qb9HcB!+mSlV)$@o-~@tGv!b4kV*l8i4o8DCKzSh0wT+7M;c"
    "Aj*nBl+FDp%<*WpSsi5)ISR8k3R5<knxJ$k$ZjTH{PmV@HK{wwH%t`Yf+)VTiQ@aLqVN^rAA~4=w2R^=A&Q>`XTJbvze4&q3C?~4&VGm1KeCC!"
    "=f!^tQT!!E@i!O6KLX%i0B|YPRgRJZP!tN_hSm-W7ez-UC5l{yilP%-&QpXaIx9jH9>p$-E{YIES4D`Tn<7NfT@j+lSA-~fC_)rH6(NdViV#I_"
    "g^8k%k|_#fQzmo#!PPU7f8t#f;I6Mix$CD$?)ociS-q=>c>u&b5Mtg<#=N_Xc~Dx+d&rmv%b53+G4CZ~-dn~zM8>?2jCo%f^H3gh0r`aIibgz4"
    "u{}$HfXNeoObh9FKgB6(A0AGV#YH;;0v~A$yimz1S|1*zq(ob!*hK49Qlj-KDNPkCR8u98s#2k;GSE~xv{oqDL|cq2m6T}rSA=LsD@?Qp2!JsF"
    "Fcw^m695MSz<6k_N{M!YAaEiOco1B!mIO|c1WryP@L);cA(BA9Byfr(@K8zMR7v18N#Jxz;0#V+Ad6_>iJfi}d+|&qTkWCOv=~{^!Xptp9MZjH"
    "51z%8JR1l-%tq+p*$FMdL6PetWUi0oxjstd`e?}Y97x+SBG)S9dM>nTS;;KLH3A?c0m2+W7XY;YPzSCI0T2OzD74n6$czax8-UC>Tuw+b8zq@2"
    "jZ7@bG$omqBr_?=Y?5TolVr}9WG;|oF63k$OJ`#bP97zQtTRnRYt->^FhN>yGwo^H>7`%k=`o#d_0Ef!y2^HU@$obRHX-=%2~;PX-bFy~VjI0D"
    "W~a9dFA>>4NoK!=XMd^4ek){u86<MK$o|QY{ZpXz)U5QD<I@Dd=@Q@!4sfObI12#I23O|@fO7%hJZL>XMehZI-V1@=i{SFblHN-sy_crZdzqwn"
    "g{1d#N$(Ys-YX@&S4n!Wmh@gD>AjZIdmZH<#pLzrOh%oQ72_Lhl-&rF-DIQe=IoSJ;9EpSZ<QInjc4?Bk<mLKqjy4b?h+Zj8!~ziw64rbStY(#"
    "0Nf`5?&kmx2!ICx;307JumE@j03L<b$5NE75|lj-lsy5LpOln6B`JG4jk0GXWzR~=o|BY4FDZLLQud;xY_+6pjil@)PT9+L%3j$FWqEQp+lybN"
    "7JNnU8nE`djkP!UieRmX_)UoTEr@uXjQDLC@jGb|zbhktPe%N{jQ9f?@p>8Y1{v{(GUAV9#2b0UAJg%ttp%c~`@bztAO6G^=cf?oXSO&$=W%`^"
    ";`|cg{0idyTE_W}jPu*HIKPu|elO$vLB{!`jPoZM=g%_EUu2xW$~ZUiIDgxwIE(S`wmAQQIRCW8`4^A#ZxQD|5a+)Tr^_wk%yEl26}LT3w_C*7"
    "!7bwK=oWG2x<#Cw+#=3Aw}`W|Tg2&ci#WTuS)5(nn~O8azONy*hJ7)EySeH9KW&tIsJOe^v8!LFTbgB&N0xlISX-zQJnCT@hOZH-lX3R#z=W7)"
    "njYMPbb}ogON$%0CplY+d%5A;0P@cF-fM9mySG9$9w$JtBw1Y3PKDF`o$^jPufI8U2zkmPf73Vn>!g0Jk>b}$g>(~KvsC)cI~h@R)iB48l(z8l"
    "Qpo$hdynpW(JzFy06D-_E+P5PJXCV~u8Y(Aa&=Ylwxh~dSqUA$xOs?9A^K#sg#q+*jS~Z?Szzf2`U9ovs?pnnn|j3}mKD?K7+S_`+?DQ4<!*5d"
    "-CbkTeib&VsJd$Z9T)&{IWF5D9nrw`gO>FtC;hiFq7msM@>W+BxY~+O@!ap1eoq1Nwt{y+I-ak(s=~FS@$UeBaXaIe>>xh8D1K!9Uix<6m+lz;"
    "qH*+(;-5JqckOoIm$h^J<vWA_|EoV5*P>Z#^5>G1xm$^ANP1iq)m4LCJA3?eJVhT)MMd;ycv~4ypY-umR#)|K?fm+c?;7r?U!<fCb^T}cGZWw2"
    "Hhg&H@K432=ha7_I&FLKeQm;DG`1~&bX+6<@h{mr|M{-oj&YGfoA262e2UZm^x=1IPy8i25I@DechyHm5BLT5mT`+6xTKJda<#pFO5DlX<y)^`"
    "`L59pTv9;GUE5#3|1<u}|0Dh@+KK<l_Tk@Gv=jN?f%tvic8cHk|0Mq6c8b4bC&a%a_@(WPU)Ij}<?W1L(a!jl?S?OQEVdiJ*h7(DT~RlC>-z_T"
    "Tt2yh0il~Zj)-rF)JV9xs<4d%@p`=_MP=TSGM~4?TV7mJS>!D%DlRGYR+N^N7ZsHk`%1~>V%X)#U)yPX0U1XDj4}t7im7qhcYS(fjNJME(45xx"
    "4V->ymMez1Hn&gYbYkCx8IZp5vX5&EJ3mf8_KlRDX@1VO`4Jm9PILRJy?dH@-+f(<y%(pg{RuwZ_6Db|ciV0I4|Ul3w%ztZr){y**8bG%z%6jt"
    "mN;$gPwWm{r)_B)aECc;%bd3MCt3%t)3)4cYk&Gow{6_dVOz27+8~Qa$J6STZ1dAh4X3R)Ls<4lxpd>tGmJBoWnXVQkViO;Go)o-M5i0OMmmi%"
    "v}IojIgm4qGsI;t=jp~9GK@>NJ?3Dc)3~e+F^_T@m$xD24C9J6#GGMVx$VfoB4-6DY6EhHv9}G#UZ=6I4agbB#oKNi^f`^&ps;lr#-(jQE_NE1"
    "wE;Q9xV#O>B~IfuC~RGZafZU|>l_Dismr;lavIy0AA{12U$Yr!Ul>jI=jM(`Eu-8ch2;>(=j|M8epzZ8ESLVA$~APH+$Nju@0iPMhCqMT_kXOF"
    "J&y"
)  # fmt: skip


def saved(value: Any) -> io.BytesIO:
    file = io.BytesIO()
    mg.save(value, file)
    file.seek(0)
    return file


def again(value: Any) -> Any:
    return mg.load(saved(value), weights_only=False)


def pickled(text: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + text)
    file.seek(0)
    return file


# ---------------------------------------------------------------- classes of a program


class Color(enum.Enum):
    RED = 1
    BLUE = "b"


class Point(NamedTuple):
    x: int
    y: Any


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    sizes: list[int] = dataclasses.field(default_factory=list)


class Vocabulary:
    unknown = "?"

    def __init__(self) -> None:
        self.index = {"a": 0}
        self.me = self

    @property
    def size(self) -> int:
        return len(self.index)

    @functools.cached_property
    def longest(self) -> int:
        return max(map(len, self.index))

    def known(self, word: str) -> bool:
        return word in self.index


def swish(x: mg.Tensor) -> mg.Tensor:
    return x * x.sigmoid()


class Net(nn.Module):
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x: mg.Tensor) -> mg.Tensor:
            return self.linear(x)

    def __init__(self, norm: type[nn.Module] = nn.BatchNorm1d) -> None:
        super().__init__()
        self.norm, self.kind = norm, Net.Block
        self.block = Net.Block()
        self.net = nn.Sequential(OrderedDict(a=nn.Linear(3, 3), n=norm(3), d=nn.Dropout(0.5)))
        self.tied = nn.Linear(3, 3)
        self.tied.weight = self.net.a.weight
        self.acts = [F.gelu, mg.tanh, swish]
        self.rnn = nn.LSTM(3, 2, bidirectional=True)
        self.layer = nn.TransformerEncoderLayer(4, 2, 4)
        self.register_buffer("kept", mg.ones(2))
        self.register_buffer("unsaved", mg.ones(2), persistent=False)
        self.config, self.device = Config(sizes=[1]), mg.device("cpu")

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        x = self.block(self.net(x) + self.tied(x))
        for act in self.acts:
            x = act(x)
        return self.layer(self.rnn(x[None])[0])


def test_a_whole_module_trains_on_with_its_optimizer() -> None:
    def step(net: Any, optimizer: Any) -> float:
        optimizer.zero_grad()
        loss = net(x).square().sum()
        loss.backward()
        optimizer.step()
        return float(loss)

    x = mg.randn(4, 3)
    net = Net().eval()
    optimizer = optim.Adam(net.parameters(), 0.1)
    step(net, optimizer)
    both = again({"net": net, "optimizer": optimizer})
    other, theirs = both["net"], both["optimizer"]
    assert repr(other) == repr(net)
    assert list(other.state_dict()) == list(net.state_dict())
    assert not other.training
    assert other.tied.weight is other.net.a.weight is theirs.param_groups[0]["params"][2]
    assert (other.norm, other.kind, other.acts, other.config) == (net.norm, net.kind, net.acts, net.config)
    assert [step(net, optimizer) for _ in range(2)] == [step(other, theirs) for _ in range(2)]
    other.register_forward_hook(lambda *args: 0)
    assert other(x) == 0


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("how", ["weight_norm", "prune"])
def test_a_hook_that_computes_a_parameter_is_saved_with_its_module(how: str, tmp_path: pathlib.Path) -> None:
    net: Any = nn.Linear(3, 2)
    if how == "prune":
        nn.utils.prune.random_unstructured(net, "weight", amount=2)
        nn.utils.prune.l1_unstructured(net, "weight", amount=0.5)
    else:
        nn.utils.weight_norm(net)
    mg.save(net, tmp_path / "net.pt")
    read = mg.load(tmp_path / "net.pt", weights_only=False)
    with mg.no_grad():
        for p in (*net.parameters(), *read.parameters()):
            p.mul_(-2.0)
    assert mg.equal(read(mg.ones(3)), net(mg.ones(3)))
    nn.utils.prune.remove(read, "weight") if how == "prune" else nn.utils.remove_weight_norm(read)
    assert [name for name, _ in read.named_parameters()] == ["bias", "weight"]


def test_other_objects() -> None:
    data = TensorDataset(mg.arange(3.0))
    values = {
        "args": argparse.Namespace(lr=0.1, out=pathlib.Path("a/b")), "space": types.SimpleNamespace(a=[1]),
        "enum": [Color.RED, Color.BLUE], "named": Point(1, [2]), "counts": defaultdict(list, {"a": [1]}),
        "last": deque([1, 2], maxlen=2), "frozen": frozenset([1]), "range": range(1, 9, 2), "slice": slice(1, None),
        "classes": [Net.Block, nn.Linear, Color, optim.SGD], "config": Config(sizes=[3]),
        "dates": [datetime(2024, 5, 6, 7), date(2024, 5, 6), timedelta(1, 2, 3)],
    }  # fmt: skip
    got = again(values)
    assert got == values
    assert got["last"].maxlen == 2
    assert got["counts"]["b"] == []
    assert all(type(got[name]) is type(value) for name, value in values.items())
    vocabulary = Vocabulary()
    assert vocabulary.longest == 1
    vocabulary = again(vocabulary)
    assert vocabulary.me is vocabulary
    assert vocabulary.size == 1
    assert vars(vocabulary).keys() == {"index", "me", "longest"}
    norm = again(functools.partial(nn.LayerNorm, eps=0.5))
    assert norm(2).eps == 0.5
    assert again(Subset(data, [2]))[0][0] == 2
    scheduler = again(
        optim.lr_scheduler.ExponentialLR(optim.SGD([mg.zeros(1, requires_grad=True)], 1.0), 0.5)
    )
    scheduler.step()
    assert scheduler.optimizer.param_groups[0]["lr"] == 0.5


def test_what_pytorch_wrote() -> None:
    file = io.BytesIO(zlib.decompress(base64.b85decode(WRITTEN_BY_PYTORCH)))
    with pytest.raises(pickle.UnpicklingError, match=r"^Weights only load failed.*weights_only=False"):
        mg.load(file)
    file.seek(0)
    got = mg.load(file, weights_only=False)
    net = got["m"]
    assert [type(m) for m in net] == [nn.Conv1d, nn.BatchNorm1d, nn.GRU]
    loss = net(mg.ones(2, 1, 4))[0].sum()
    loss.backward()
    got["o"].step()
    assert loss.item() == pytest.approx(1.05, abs=0.5)
    assert got["o"].param_groups[0]["params"][0] is net[0].weight
    assert got["d"][1] == (mg.tensor(1),)
    assert got["f"] is F.gelu
    assert got["l"].activation is mg.tanh
    assert got["l"](mg.ones(1, 1, 2), mg.ones(1, 1, 2)).shape == (1, 1, 2)


def test_modules_stand_in_files_as_pytorch_has_them() -> None:
    """Each class is found under the name that is written of it, and has the tables that PyTorch looks for."""
    net = nn.Sequential(
        nn.Linear(1, 1), nn.Bilinear(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Fold(2, 1), nn.SyncBatchNorm(1),
        nn.EmbeddingBag(2, 2), nn.InstanceNorm1d(1), nn.PixelShuffle(2), nn.ChannelShuffle(1),
        nn.MultiheadAttention(2, 1), nn.LSTM(1, 1), nn.CosineSimilarity(), nn.MultiMarginLoss(),
        nn.FractionalMaxPool2d(2, 1), nn.ZeroPad2d(1), nn.Upsample(2), nn.DataParallel(nn.Identity()),
    )  # fmt: skip
    text = zipfile.ZipFile(saved(net)).read("archive/data.pkl")
    named = [str(a).split()[0] for op, a, _ in pickletools.genops(text) if op.name == "GLOBAL"]
    files = [name.split(".")[3] for name in named if name.startswith("torch.nn.modules")]
    assert files == [
        "container", "linear", "linear", "conv", "fold", "batchnorm", "sparse", "instancenorm", "pixelshuffle",
        "channelshuffle", "activation", "linear", "rnn", "distance", "loss", "pooling", "padding", "upsampling",
        "linear",
    ]  # fmt: skip
    for shown in ("_forward_hooks_with_kwargs", "_reversed_padding_repeated_twice", "_flat_weights"):
        assert shown.encode() in text
    for name in nn.__all__:
        cls = getattr(nn, name)
        if isinstance(cls, type) and issubclass(cls, nn.Module) and "Lazy" not in name:
            assert again([cls]) == [cls]


class Outer:
    class Inner:
        pass


def test_a_list_allows_classes_by_name() -> None:
    with pytest.raises(
        pickle.UnpicklingError, match=r"GLOBAL .*Net was not an allowed.*add_safe_globals\(\[Net\]\)"
    ):
        mg.load(saved(Net()))
    with safe_globals([Config]):
        assert mg.load(saved(Config())) == Config()
        with pytest.raises(pickle.UnpicklingError, match="Vocabulary was not an allowed global"):
            mg.load(saved(Vocabulary()))
    with safe_globals([argparse.Namespace, pathlib.PosixPath, defaultdict, list]):
        value = argparse.Namespace(a=pathlib.Path("a"), b=defaultdict(list))
        assert mg.load(saved(value)) == value
    # A class that stands in another is allowed by itself.
    for allowed, right in ([Outer.Inner], True), ([Outer], False):
        made = packed({"version": b"3\n", "data.pkl": pickle.dumps(Outer.Inner(), 4)})
        with (
            safe_globals(allowed),
            nullcontext() if right else pytest.raises(pickle.UnpicklingError, match="Inner"),
        ):
            assert type(mg.load(made)) is Outer.Inner
    with safe_globals([zipfile.ZipInfo]), pytest.raises(pickle.PicklingError, match="__slots__"):
        saved(zipfile.ZipInfo("a"))
    with safe_globals([argparse.Action]):
        action = argparse.Action([], "a")
        assert vars(mg.load(saved(action))) == vars(action)
    with pytest.raises(pickle.UnpicklingError, match="defaultdict was not an allowed global"):
        mg.load(saved(defaultdict(list)))


def test_what_decides_about_weights_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mg.load(saved(Config()), pickle_module=pickle) == Config()
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert mg.load(saved(Config())) == Config()
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(pickle.UnpicklingError):
        mg.load(saved(Config()), weights_only=False)


# ---------------------------------------------------------------- what is refused

done: list[str] = []


class Setting(nn.Module):
    def __setstate__(self, state: Any) -> None:
        done.append("set")


class Ending:
    def __del__(self) -> None:
        done.append("del")


class Reduced(nn.Module):
    def __reduce__(self) -> Any:
        return done.append, ("reduce",)


class Slotted:
    __slots__ = ("a",)


class Named(NamedTuple):
    a: int

    def __del__(self) -> None:
        done.append("del")


class Hashed(NamedTuple):
    a: int

    def __hash__(self) -> int:
        done.append("hash")
        return 1


class Watching:
    def __getattribute__(self, name: str) -> Any:
        done.append("get")
        return object.__getattribute__(self, name)


class Posing:
    @property
    def __class__(self) -> type:
        done.append("class")
        return int

    @__class__.setter
    def __class__(self, value: type) -> None: ...


class Loud:
    """Whoever asks, compares, reads or prints it runs its code."""

    def __bool__(self) -> bool:
        done.append("asked")
        return False

    __eq__ = __hash__ = __iter__ = __len__ = __repr__ = __float__ = __bool__  # type: ignore[assignment]


class Equal:
    def __eq__(self, other: object) -> bool:
        done.append("eq")
        return True

    __hash__ = None  # type: ignore[assignment]


class Words(dict[str, int]):
    pass


def wipe(*args: Any) -> None:
    done.append("wipe")


def hooked() -> nn.Module:
    net = nn.Linear(1, 1)
    net.register_forward_hook(wipe)
    return net


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Setting(), "__setstate__"),
        (Reduced(), "__reduce__"),
        ([Slotted()], r"Slotted at \[0\].*__slots__"),
        (Words(a=1), "plain dict"),
        (Net.forward, "function"),
        ({"f": lambda: 0}, r"function at \['f'\].*defined in a function"),
        (types.FunctionType((lambda: 0).__code__, {"__name__": None}), "defined in a function"),
        (type("Inside", (nn.Module,), {"__qualname__": "f.<locals>.Inside"}), "defined in a function"),
        (type("Lost", (nn.Module,), {"__module__": __name__}), "no Lost"),
        (hooked(), "has hooks"),
        (functools.partial(wipe, 1), "partial of something else"),
        (datetime(2024, 1, 1, tzinfo=UTC), "without its time zone"),
        (io.StringIO(), "StringIO"),
        (
            argparse.ArgumentParser(),
            r"not a class of your program; serialization.add_safe_globals\(\[ArgumentParser\]",
        ),
        (nn.LazyLinear(1), "run its module once"),
    ],
)
def test_what_is_not_written(value: Any, says: str) -> None:
    with pytest.raises(pickle.PicklingError, match=f"(?s){says}"):
        mg.save(value, io.BytesIO())


def named(name: str) -> bytes:
    home, _, last = name.rpartition(".")
    return f"c{home or __name__}\n{last}\n".encode()


def text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def built(name: str, **state: bytes) -> bytes:
    """An object of a class with attributes."""
    return named(name) + b")\x81}(" + b"".join(text(k) + v for k, v in state.items()) + b"ub."


def table(count: int) -> bytes:
    return b"}(" + b"".join(text(f"a{i}") + b"N" for i in range(count)) + b"u"


def test_the_version_that_pytorch_writes_is_a_text() -> None:
    written = b"ctorch.torch_version\nTorchVersion\n" + text("2.13.0") + b"\x85\x81."
    assert mg.load(pickled(written), weights_only=False) == "2.13.0"


LOUD = named("Loud") + b")\x81"
MANY = b"](" + b"N" * 30_000 + b"eq\x010"
FLOATS = named("numpy.dtype") + b"(" + text("f4") + b"\x89\x88tR"
ARRAY = named("numpy._core.multiarray._reconstruct") + b"NNN\x87R"
GETATTR = named("__builtin__.getattr")
HARMFUL = {
    "is a function": (built("wipe"), "where a type is expected"),
    "calls a function": (named("wipe") + b")R.", "where a Callee is expected"),
    "calls a class": (named("Vocabulary") + b"K\x01\x85R.", "calls the class Vocabulary"),
    "makes a class of arguments": (named("Net") + b"K\x01\x85\x81.", "of arguments"),
    "sets a state": (built("Setting", a=b"N"), "has __setstate__"),
    "ends": (built("Ending", a=b"N"), "has __del__"),
    "has slots": (built("Slotted", a=b"N"), "has __slots__"),
    "is a dict": (built("Words", a=b"N"), "not safe"),
    "is a module of Python's": (built("os.PathLike", a=b"N"), "not a class of your program"),
    "is a process": (built("subprocess.Popen", a=b"N"), "not (a class of your program|loaded)"),
    "names what is no class": (named("pickle"), "Modules, and classes and functions"),
    "names a function of Python's": (named("shutil.rmtree"), "of another module, or of a library"),
    "names a function of another module": (named("pytest.raises"), "function of another module"),
    "names what is imported": (named("zlib.crc32"), "Modules, and classes and functions"),
    "names a function of minigrad": (named("minigrad.serialization.load"), "Modules, and classes and functions"),
    "names a class of minigrad": (named("minigrad.core.op.Op"), "Modules, and classes and functions"),
    "names what a module imports": (named("minigrad.nn.linear.import_module"), "Modules, and classes"),
    "climbs": (named("minigrad.nn...os.system"), "Modules, and classes and functions"),
    "is not loaded": (named("antigravity.Net"), "module antigravity is not loaded"),
    "is not defined": (named("Nobody"), "has no Nobody yet"),
    "changes its class": (built("Net", __class__=named("Config")), "replace the attribute '__class__'"),
    "changes its dict": (built("Vocabulary", __dict__=b"}"), "replace the attribute '__dict__'"),
    "replaces a property": (built("Vocabulary", size=b"K\x01"), "replace the attribute 'size'"),
    "replaces a method": (built("Vocabulary", known=named("wipe")), "replace the attribute 'known'"),
    "replaces forward": (built("Net", forward=named("wipe")), "replace the attribute 'forward'"),
    "replaces a call": (built("torch.nn.modules.linear.Linear", __call__=named("wipe")), "attribute '__call__'"),
    "has a hook that holds another object": (
        built("torch.nn.utils.weight_norm.WeightNorm", dim=LOUD), "has an attribute of type Loud"
    ),
    "puts a function before its call": (
        built("Net", _forward_pre_hooks=b"}K\x01" + named("wipe") + b"s"), "has hooks"
    ),
    "has hooks": (built("Net", _forward_hooks=b"}K\x01" + named("wipe") + b"s"), "has hooks"),
    "has no parameters": (built("Net", _parameters=b"}" + text("w") + b"K\x01s"), "_parameters of a Net are not"),
    "has no modules": (built("Net", _modules=b"}" + text("w") + named("wipe") + b"s"), "_modules of a Net are not"),
    "has a list of buffers": (built("Net", _buffers=b"]"), "_buffers of a Net are not"),
    "has attributes without names": (named("Net") + b")\x81}K\x01K\x01sb.", "no dict of names"),
    "has no dict": (named("Net") + b")\x81]b.", "a list where a dict or tuple is expected"),
    "builds twice": (named("Net") + b")\x81}b}b.", "a Net where a OrderedDict is expected"),
    "builds a class": (named("Net") + b"}" + text("a") + b"Nsb.", "a type where a OrderedDict is expected"),
    "has no groups": (built("torch.optim.sgd.SGD", param_groups=b"]K\x01a", state=b"}", defaults=b"}"), "damaged"),
    "has a state that is no number": (
        built("torch.optim.adam.Adam", param_groups=b"]", defaults=b"}", state=b"}N}sK\x01Ns"), "damaged"
    ),
    "is no member": (named("Color") + b"K\x09\x85R.", "calls the class Color"),
    "has too few fields": (named("Point") + b"K\x01\x85\x81.", "has 1 fields"),
    "looks an attribute up": (GETATTR + b"(" + named("Net") + text("forward") + b"tR.", "no class"),
    "looks a function up": (
        GETATTR + b"(" + named("torch._C._VariableFunctionsClass") + text("load") + b"tR.", "no operation"
    ),
    "looks in Python": (GETATTR + b"(" + named("__builtin__.list") + text("a") + b"tR.", "looks up 'a'"),
    "has a partial": (named("functools.partial") + named("wipe") + b"\x85R.", "partial of something else"),
    "has another partial": (
        named("functools.partial") + named("torch.nn.functional.relu") + b"\x85R(" + named("wipe") + b")}Ntb.",
        "partial",
    ),
    "has a wrong date": (named("datetime.datetime") + text("now") + b"\x85R.", "is damaged"),
    "has a wrong time": (named("datetime.timedelta") + text("now") + b"\x85R.", "without whole numbers"),
    "has a factory": (named("collections.defaultdict") + named("wipe") + b"\x85R.", "defaultdict of something else"),
    "has a path of numbers": (named("pathlib.PosixPath") + b"K\x01\x85R.", "int where a str is expected"),
    "has a key": (b"}" + named("Vocabulary") + b")\x81Ns.", "a Vocabulary is (in) a key"),
    "keeps a name as a value": (built("Vocabulary", a=named("__builtin__.list")), "is a name"),
    "ends as a tuple": (named("Named") + b"K\x01\x85\x81.", "has __del__"),
    "watches": (built("Watching", a=b"N"), "has __getattribute__"),
    "poses": (built("Posing", a=b"N"), "has __class__"),
    "makes a member": (named("Color") + b")\x81.", "of arguments"),
    "has a key that hashes": (b"}" + named("Hashed") + b"K\x01\x85\x81Ns.", "a __hash__ or __eq__ of its own"),
    "asks its hooks": (built("Net", _forward_hooks=LOUD), "has hooks"),
    "asks a type's state": (FLOATS + b"(K\x03" + text("<") + LOUD + b"NNNNNtb.", "not of plain bytes"),
    "compares a type's state": (FLOATS + b"(K\x03" + LOUD + b"NNNNNNtb.", "not of plain bytes"),
    "compares a form": (named("torch._utils._rebuild_sparse_tensor") + LOUD + b")\x86R.", "not made of its parts"),
    "tells of a type": (named("numpy.dtype") + LOUD + b"\x85R.", "of the type a Loud"),
    "tells of a shape": (ARRAY + b"(K\x01" + LOUD + b"NNNtb.", "the shape a Loud"),
    "goes over an object": (named("collections.deque") + LOUD + b"\x85R.", "a Loud where"),
    "goes over a range": (
        named("collections.deque") + named("__builtin__.xrange") + b"K\x00J\xff\xff\x0f\x00K\x01\x87R\x85R.",
        "a range where"
    ),
    "has a long difference": (named("datetime.timedelta") + b"\x8a\x09" + b"\x7f" * 9 + b"\x85R.", "is damaged"),
    "has a range of nothing": (named("__builtin__.xrange") + b"NNN\x87R.", "is damaged"),
    "has keys too deep to compare": (b"}(" + (b")" + b"\x85" * 5_000 + b"N") * 2 + b"u.", "is damaged"),
    "has endless texts": (
        ARRAY + b"(K\x01\x8a\x06\x00\x00\x00\x00\x00\x01\x85" + named("numpy.dtype") + text("S0") + b"\x85R\x89"
        + named("__builtin__.bytes") + b")Rtb.", "has 0 bytes"
    ),
    "replaces step": (
        built("torch.optim.sgd.SGD", param_groups=b"]", state=b"}", defaults=b"}", step=named("wipe")), "damaged"
    ),
    "hooks a step": (
        built("torch.optim.sgd.SGD", param_groups=b"]", state=b"}", defaults=b"}",
              _optimizer_step_pre_hooks=b"}K\x01" + named("wipe") + b"s"), "damaged"
    ),
    "sets what minigrad has by default": (
        GETATTR + b"(" + named("torch._C._VariableFunctionsClass") + text("set_default_device") + b"tR.", "no operation"
    ),
    "queues again and again": (
        MANY + b"(" + (named("collections.deque") + b"h\x01\x85R") * 300 + b"t.", "copies its own values so often"
    ),
    "fills tables again and again": (
        table(6_000) + b"q\x010(" + built("Net", _parameters=b"h\x01")[:-1] * 100 + b"t.", "copies its own values"
    ),
    "calls with the same again and again": (
        table(6_000) + b"q\x010" + named("torch.nn.modules.linear.Linear") + b"q\x020("
        + (named("functools.partial") + b"h\x02\x85R(h\x02)h\x01Ntb") * 100 + b"t.", "copies its own values"
    ),
    "joins a path again and again": (
        text("a" * 9_000) + b"q\x010(" + (named("pathlib.PosixPath") + b"(" + b"h\x01" * 100 + b"tR") * 10 + b"t.",
        "copies its own values"
    ),
    "swaps bytes again and again": (
        named("_codecs.encode") + text("a" * 40_000) + text("latin1") + b"\x86Rq\x010" + FLOATS + b"(K\x03"
        + text(">") + b"NNNNNNtbq\x020(K\x01M\x10\x27\x85h\x02\x89h\x01tq\x030(" + (ARRAY + b"h\x03b") * 200
        + b"t.", "copies its own values"
    ),
    "makes objects again and again": (
        named("Net") + b"q\x000(" + b"h\x00)\x81" * 20_000 + b"t.", "copies its own values so often"
    ),
    "copies again and again": (
        b"}(" + b"".join(text(f"a{i}") + b"N" for i in range(6_000)) + b"uq\x01"
        + (named("Vocabulary") + b")\x81h\x01b0") * 200 + b".", "copies its own values so often"
    ),
}  # fmt: skip


if sys.version_info >= (3, 13):  # which compares them
    del HARMFUL["has keys too deep to compare"]


@pytest.mark.parametrize("what", HARMFUL)
def test_a_file_that(what: str) -> None:
    pickle_, says = HARMFUL[what]
    says = says.replace("(in)", r"\(in\)")
    for weights_only, begin in (False, f"Load failed.*{says}"), (True, "Weights only load failed"):
        with pytest.raises(pickle.UnpicklingError, match=rf"^{begin}.* \(at .*test_save_objects.py"):
            mg.load(pickled(pickle_), weights_only=weights_only)
    assert done == []


def test_a_class_with_its_source_stands_in_old_files() -> None:
    about = (
        b"("
        + text("module")
        + named("torch.nn.modules.activation.ReLU")
        + text("f.py")
        + text("class ReLU")
        + b"tQ"
    )
    net = mg.load(pickled(about + b")\x81}" + text("inplace") + b"\x89sb."), weights_only=False)
    assert net(mg.tensor([-1.0])).item() == 0
    with pytest.raises(pickle.UnpicklingError, match="a Callee where a type is expected"):
        mg.load(
            pickled(about.replace(b"torch.nn.modules.activation\nReLU", b"torch\nTensor") + b"."),
            weights_only=False,
        )
    old = again(nn.Conv1d(1, 1, 1))
    del old.padding_mode
    assert old(mg.ones(1, 1, 1)).shape == (1, 1, 1)


def test_members_of_enums_are_keys() -> None:
    assert again({Color.RED: 1, (Color.BLUE, 2): 2}) == {Color.RED: 1, (Color.BLUE, 2): 2}


def test_objects_are_not_compared_and_may_lie_deep() -> None:
    equal = named("Equal") + b")\x81"
    with pytest.raises(pickle.UnpicklingError):
        mg.load(pickled(b"(" + equal + b"NNK\x01NtQ."), weights_only=False)
    assert len(mg.load(pickled(equal + b"N\x86."), weights_only=False)) == 2
    assert done == []
    head = named("torch.nn.modules.container.Sequential") + b"q\x000"
    deep = (
        head
        + b"N"
        + (b"q\x010h\x00)\x81}" + text("_modules") + b"}" + text("0") + b"h\x01ssb") * 20_000
        + b"."
    )
    net = mg.load(pickled(deep), weights_only=False)
    count = 0
    while net is not None:
        net, count = net[0], count + 1
    assert count == 20_000
