"""Stub."""
from __future__ import annotations
import contextlib, types, functools
from typing import Any
from minigrad import errors
from minigrad.core.contents import publishes
from minigrad.core.tensor import Tensor
from minigrad.random import default_generator, Generator
from minigrad.readers.source.names import identifier, instructions
from minigrad.compiler.scalars import Scalar

class Guards:
    def __init__(self): self.rows=[]
    def hold(self): return all(f() for f,_ in self.rows)
    def broken(self): return next((p for f,p in self.rows if not f()),"")

class World:
    def __init__(self, function):
        self.home="somewhere"; self.guards=Guards(); self.tensors={}; self.paths={}; self.owned={}; self.options=[]; self.states=[]; self.generators=[default_generator]; self.settled=[]; self._seen=set(); self._texts=set()
        self._walk(function,"")
    def knows(self,v): return id(v) in self._seen
    def hooks(self,node,path): pass
    def argument(self,value,path): self._walk(value,path)
    def number(self,value,text):
        text=identifier(text); base=text; k=1
        while text in self._texts: k+=1; text=f"{base}_{k}"
        self._texts.add(text)
        def settle(comparison=""):
            row=(text,comparison, getattr(float,comparison)(value,0.0) if comparison else value)
            if row not in self.settled: self.settled.append(row)
        return Scalar(value,text,settle)
    def _walk(self,v,path):
        if id(v) in self._seen or isinstance(v,(int,float,str,bytes,type,types.ModuleType)) or v is None: return
        self._seen.add(id(v)); self._keep=getattr(self,'_keep',[]); self._keep.append(v)
        if isinstance(v,Tensor):
            self.tensors[id(v)]=v; self.paths[id(v)]=path.strip(".") or "tensor"
            rg,gr=v.requires_grad,v._grad is None
            self.guards.rows.append((lambda:v.requires_grad==rg and (v._grad is None)==gr,path)); return
        if isinstance(v,types.FunctionType):
            if "minigrad/minigrad" in v.__code__.co_filename or "/minigrad/" in v.__code__.co_filename and 'tests' not in v.__code__.co_filename and 'me/' not in v.__code__.co_filename: return
            for n,c in zip(v.__code__.co_freevars,v.__closure__ or ()):
                with contextlib.suppress(ValueError): self._walk(c.cell_contents,n)
            for n in v.__code__.co_names:
                if n in v.__globals__: self._walk(v.__globals__[n],n)
            return
        if isinstance(v,types.MethodType): self._walk(v.__self__,path); self._walk(v.__func__,path); return
        if isinstance(v,functools.partial): self._walk(v.func,path); self._walk(v.args,path); self._walk(v.keywords,path); return
        if isinstance(v,(list,tuple)):
            for i,x in enumerate(v): self._walk(x,f"{path}[{i}]")
            return
        if isinstance(v,dict):
            for k,x in list(v.items()): self._walk(x,f"{path}.{k}")
            return
        if publishes(type(v)):
            h=v.__minigrad_contents__()
            for t in (h.parameters,h.buffers):
                for k,x in t.items():
                    if isinstance(x,Tensor): self.owned.setdefault(id(x),f"{path}.{k}".strip("."))
            for k,x in h.modules.items(): self._walk(x,f"{path}.{k}")
            if h.state is not None:
                self.states.append(h.state); self._seen.add(id(h.state))
                for g in h.groups:
                    self._seen.add(id(g))
                    for k,x in g.items():
                        if type(x) is float: self.options.append((g,k,self.number(x,k)))
                        else: self._walk(x,f"{path}.{k}")
        if hasattr(v,"__dict__"):
            for k,x in vars(v).items(): self._walk(x,f"{path}.{k}")
    @contextlib.contextmanager
    def watching(self):
        for g,k,n in self.options: g[k]=n
        try: yield
        finally:
            for g,k,n in self.options:
                if g.get(k) is n: g[k]=n.value
    def refuse_changes(self): pass
